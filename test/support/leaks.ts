/*
 * Looks for secrets in files, texts and whatever else was left behind, in every form in which one usually leaks.
 */
import { type Secret } from './key-witness.js';

/** Bytes in which no secret should be. */
export interface Trace {
  readonly where: string;
  readonly bytes: Uint8Array;
}

/** A secret, or half of a key, in one of its forms. */
interface Needle {
  readonly what: string;
  readonly bytes: Buffer;
}

/** Half a key is a leak too. */
const half = 16;

function* parts({ what, bytes }: Secret): Generator<Secret> {
  if (bytes.length !== 2 * half) yield { what, bytes };
  else {
    yield { what: `first half of ${what}`, bytes: bytes.subarray(0, half) };
    yield { what: `second half of ${what}`, bytes: bytes.subarray(half) };
  }
}

/** The base64 of bytes that begin at any offset of what was encoded, without the characters that depend on others. */
function* base64Of(bytes: Uint8Array): Generator<string> {
  for (const offset of [0, 1, 2]) {
    const text = Buffer.concat([new Uint8Array(offset), bytes]).toString('base64');
    yield text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  }
}

function* needlesOf(secret: Secret): Generator<Needle> {
  for (const { what, bytes } of parts(secret)) {
    const hex = Buffer.from(bytes).toString('hex');
    yield { what: `${what}, raw`, bytes: Buffer.from(bytes) };
    for (const text of new Set([hex, hex.toUpperCase()]))
      yield { what: `${what}, in hex`, bytes: Buffer.from(text) };
    for (const base64 of base64Of(bytes)) {
      const url = base64.replaceAll('+', '-').replaceAll('/', '_');
      for (const text of new Set([base64, url]))
        yield { what: `${what}, in base64`, bytes: Buffer.from(text) };
    }
  }
}

/** Bytes as numbers or as spaced hex, the way `inspect` and JSON show arrays, turned back into bytes. */
function* unprinted(bytes: Uint8Array): Generator<Uint8Array> {
  const text = Buffer.from(bytes).toString('latin1');
  const numbers = (pattern: RegExp): Uint8Array =>
    Uint8Array.from(text.matchAll(pattern), (match) => Number(match[1]));
  yield numbers(/\b(\d{1,3})\b/g);
  yield numbers(/"\d+":\s*(\d{1,3})\b/g);
  yield Buffer.from(text.replace(/(?<=\b[0-9a-f]{2}) (?=[0-9a-f]{2}\b)/g, ''), 'latin1');
}

const firstFour = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0;

/** Says where which secret is. Each is at least 4 bytes long. */
export function findLeaks(traces: Iterable<Trace>, secrets: Iterable<Secret>): string[] {
  const byStart = new Map<number, Needle[]>();
  for (const secret of secrets) {
    for (const needle of needlesOf(secret)) {
      const start = firstFour(needle.bytes, 0);
      const others = byStart.get(start);
      if (others === undefined) byStart.set(start, [needle]);
      else others.push(needle);
    }
  }
  const found = new Set<string>();
  for (const { where, bytes } of traces) {
    for (const view of [bytes, ...unprinted(bytes)]) {
      for (let at = 0; at + 4 <= view.length; at++) {
        for (const { what, bytes: needle } of byStart.get(firstFour(view, at)) ?? []) {
          if (needle.equals(view.subarray(at, at + needle.length))) found.add(`${where}: ${what}`);
        }
      }
    }
  }
  return [...found];
}
