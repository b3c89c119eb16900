/*
 * What must hold whatever the input is: which errors, what they say, what is allocated, what stays as it was.
 */
import { getHeapStatistics } from 'node:v8';
import { errorCodes, KeyboundError } from '../../../src/errors.js';
import { bytesAsked } from './allocations.js';
import { Finding, type Target } from './target.js';

/** No input may take more than this, whatever lengths it declares. */
export const maxAllocation = 64 * 1024 * 1024;
/** Longest message, in characters. */
const maxMessage = 2000;
/** So many characters of the input, word for word, are no longer a name in a message but the raw input. */
const maxQuote = 128;

/** What went wrong, and a key under which the same fault found again is recognised. */
export interface Fault {
  readonly what: string;
  readonly key: string;
}

/** Where in the code under test an error was thrown. */
const frameOf = (error: Error): string =>
  error.stack
    ?.split('\n')
    .find((line) => /\bsrc\/|node_modules/.test(line))
    ?.trim()
    .replace(/\(?\S*?(src|node_modules)\//, '$1/') ?? 'somewhere';

/** For terminals: whatever an error holds. */
const printable = (text: string): string =>
  text.replace(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function fault(what: string, error: unknown): Fault {
  if (!(error instanceof Error)) return { what: `${what}: ${typeof error}`, key: `${what} ${typeof error}` };
  const text = `${what}: ${error.name}: ${error.message.slice(0, 300).replaceAll('\n', '\\n')}`;
  if (error instanceof Finding) return { what: printable(text), key: `${what} ${error.message}` };
  const stack = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  return {
    what: printable(`${text}\n${stack.slice(0, 6).join('\n')}`),
    key: `${what} ${error.name} ${frameOf(error)}`,
  };
}

/** Whether the message holds a long piece of the input as it is. */
function quotes(message: string, input: Uint8Array): boolean {
  if (message.length < maxQuote) return false;
  const text = Buffer.from(input).toString('utf8');
  for (let at = 0; at + maxQuote <= message.length; at += maxQuote / 4) {
    if (text.includes(message.slice(at, at + maxQuote))) return true;
  }
  return false;
}

/** What is wrong with an error as such, or null. */
export function judge(target: Target, error: unknown, input: Uint8Array): Fault | null {
  if (error instanceof Finding) return fault('accepted what it must not', error);
  if (!(error instanceof KeyboundError))
    return target.fine?.(error) === true ? null : fault('failed with something else', error);
  const { message, code } = error;
  if (!Object.hasOwn(errorCodes, code)) return fault('unknown code', error);
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(message) || !message.isWellFormed())
    return fault('a message of more than plain text', error);
  if (message.length > maxMessage) return fault('a message without end', error);
  if (quotes(message, input)) return fault('a message that repeats the input', error);
  return null;
}

/** Measures what is allocated from now on. */
export function meter(): () => Fault | null {
  const [asked, heap] = [bytesAsked(), getHeapStatistics().used_heap_size];
  return () => {
    const taken = Math.max(bytesAsked() - asked, getHeapStatistics().used_heap_size - heap);
    return taken > maxAllocation
      ? { what: `allocated ${String(Math.round(taken / 2 ** 20))} MiB`, key: 'allocated too much' }
      : null;
  };
}

const guarded: readonly object[] = [
  ...[Object, Array, Function, String, Number, Boolean, Error, Map, Set, Promise, RegExp, Date, Uint8Array],
  KeyboundError,
].flatMap((one) => [one, one.prototype as object]);

type Member = PropertyDescriptor | undefined;
const members = (object: object): Map<PropertyKey, Member> =>
  new Map(Reflect.ownKeys(object).map((key) => [key, Reflect.getOwnPropertyDescriptor(object, key)]));
const before = guarded.map(members);

/** Looks whether anything was added to or changed in what all objects share, and takes it back. */
export function checkPrototypes(): Fault | null {
  let found: Fault | null = null;
  for (const [i, object] of guarded.entries()) {
    const was = before[i];
    for (const [key, now] of members(object)) {
      const then = was?.get(key);
      if (then !== undefined && Object.is(then.value, now?.value) && then.get === now?.get) continue;
      // V8 keeps notes of its own here.
      if (object === Error && key === 'stackTraceLimit') continue;
      found = { what: `changed ${String(key)} of something that everybody shares`, key: 'polluted' };
      if (then === undefined) Reflect.deleteProperty(object, key);
      else Reflect.defineProperty(object, key, then);
    }
  }
  return found;
}

/** The cheap part of it, after every input. */
export function isPolluted(): boolean {
  for (const key in {}) return key !== '';
  return false;
}
