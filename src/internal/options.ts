import { KeyboundError } from '../errors.js';
import { quote } from './quote.js';
import { type Fail, plainObject } from './shape.js';

const refuse: Fail = (message) => {
  throw new KeyboundError('invalid-argument', message);
};

/** Refuses anything but a plain object with members out of `known`, and a `signal` that is none (design §5 rule 11). */
export function checkOptions(options: unknown, what: string, known: readonly string[]): void {
  const members = plainObject(options, `the options of ${what}`, refuse);
  for (const name of Object.keys(members)) {
    if (known.includes(name)) continue;
    refuse(`expected no option ${quote(name, 60)} in ${what} (there is ${known.join(', ')})`);
  }
  const { signal } = members;
  if (signal !== undefined && !isSignal(signal))
    refuse(`expected the signal of ${what} to be an AbortSignal`);
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
