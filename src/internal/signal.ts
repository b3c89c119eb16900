import { KeyboundError } from '../errors.js';

/** Throws `aborted` if the signal has aborted. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

export function aborted(signal: AbortSignal): KeyboundError {
  return new KeyboundError('aborted', 'the operation was aborted by its signal', { cause: signal.reason });
}

/** The promise, or `aborted` as soon as the signal aborts. What was under way goes on for others who wait for it. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(aborted(signal));
    };
    if (signal.aborted) {
      promise.catch(() => undefined);
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
