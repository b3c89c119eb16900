import { KeyboundError } from '../errors.js';

/** Refuses anything but an object with members out of `known`, and a `signal` that is none (design §5 rule 11). */
export function checkOptions(options: unknown, what: string, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new KeyboundError('invalid-argument', `expected ${what} to be an object of options`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new KeyboundError(
      'invalid-argument',
      `expected no option ${JSON.stringify(name).slice(0, 60)} in ${what} (there is ${known.join(', ')})`,
    );
  }
  if ('signal' in options && options.signal !== undefined && !isSignal(options.signal)) {
    throw new KeyboundError('invalid-argument', `expected the signal of ${what} to be an AbortSignal`);
  }
}

/** Whether a value does what an `AbortSignal` does, of whichever realm. */
const isSignal = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'aborted' in value &&
  'addEventListener' in value &&
  typeof value.addEventListener === 'function';

/** `{ signal }` if there is one: optional members are absent rather than undefined. */
export const signalOption = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };
