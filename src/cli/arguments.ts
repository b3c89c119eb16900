/*
 * Reading what is written on the command line.
 */
import { KeyboundError } from 'keybound';
import { type GetOptions } from 'keybound';
import { quote } from './quote.js';

const wrong = (message: string): never => {
  throw new KeyboundError('invalid-argument', message);
};

/** For options that are given several times. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** `k=v` pairs of an option. A key that comes twice is refused: one of the two would be lost. */
export function pairsOf(
  given: readonly string[] | undefined,
  option: string,
): Record<string, string> | undefined {
  if (given === undefined) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of given) {
    const at = pair.indexOf('=');
    if (at < 1) wrong(`expected ${option} key=value, got something else`);
    const key = pair.slice(0, at);
    if (pairs.has(key)) wrong(`expected each key of ${option} once, got ${quote(key)} twice`);
    pairs.set(key, pair.slice(at + 1));
  }
  return Object.fromEntries(pairs);
}

/** The context given with `--context`. */
export function contextOf(given: readonly string[] | undefined): { context?: Record<string, string> } {
  const context = pairsOf(given, '--context');
  return context === undefined ? {} : { context };
}

/** `first-last`, `first-` or `-length`, as in an HTTP Range header: both ends are counted. */
export function rangeOf(text: string): NonNullable<GetOptions['range']> {
  const [, first = '', last = ''] = /^(\d{0,16})-(\d{0,16})$/.exec(text) ?? [];
  const numbers = [first, last].map(Number);
  if ((first === '' && last === '') || !numbers.every(Number.isSafeInteger)) {
    return wrong('expected --range as first-last, first- or -length, in bytes, got something else');
  }
  if (first === '') return { suffix: Number(last) };
  if (last === '') return { start: Number(first) };
  if (Number(last) < Number(first)) {
    wrong(`expected --range to end at or after byte ${first}, got byte ${last}`);
  }
  return { start: Number(first), end: Number(last) + 1 };
}
