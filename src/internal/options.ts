import { KeyboundError } from '../errors.js';

/** Refuses anything but a plain object with members out of `known` (design §5 rule 11). */
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
}

/** `{ signal }` if there is one: optional members are absent rather than undefined. */
export const signalOption = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };
