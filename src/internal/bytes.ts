import { base64urlnopad, hex } from '@scure/base';

/** Whether a value is a byte array. By its tag: `instanceof` fails for those of another realm, as under Jest. */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';

/** Joins byte strings into a new one. */
export const concat = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => join(parts);

/** The same, for any number of them. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Big-endian unsigned 16 bits. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** Big-endian unsigned 32 bits. */
export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

export function readU16(bytes: Uint8Array, at: number): number {
  // Callers have checked the length; `?? 0` satisfies the index check and is never taken.
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) * 0x10000 + readU16(bytes, at + 2);
}

/** `lp(x)` of design §4: u16 length, then the bytes. Callers have checked that they fit. */
export function lp(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0xffff) throw new RangeError('length-prefixed value exceeds 65,535 bytes');
  return concat(u16(bytes.length), bytes);
}

const encoder = new TextEncoder();

/** UTF-8 of a string known to be well formed (validated at the edge, or a literal). */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Strict UTF-8: throws `TypeError` on malformed input, keeps a byte order mark. */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Unpadded base64url; decoding refuses anything that is not the canonical encoding. */
export const base64url = {
  encode: (bytes: Uint8Array): string => base64urlnopad.encode(bytes),
  decode: (text: string): Uint8Array => base64urlnopad.decode(text),
};

/** Lower-case hexadecimal; decoding takes either case. */
export const toHex = (bytes: Uint8Array): string => hex.encode(bytes);
export const fromHex = (text: string): Uint8Array => hex.decode(text);

/** Order of byte strings, a prefix before what it begins. For sorting, never for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Equality of public values. Secrets are compared by the engine, in constant time. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0;

/** Overwrites secrets with zeros. Best effort: the runtime may hold copies of its own. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
