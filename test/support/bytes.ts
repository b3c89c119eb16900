import { createHash } from 'node:crypto';
import { expect } from 'vitest';

/** Joins byte strings, without the code under test. */
export const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const fromHexText = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
export const hexText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const sha512Text = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex');

/** Whether two byte strings are the same: for long ones, which `toEqual` compares slowly. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Expects the same bytes; the report shows lengths and digests, however long they are. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  if (same(actual, expected)) return;
  const describe = (bytes: Uint8Array): string =>
    bytes.length <= 128 ? hexText(bytes) : `${String(bytes.length)} bytes, SHA-512 ${sha512Text(bytes)}`;
  expect(describe(actual)).toBe(describe(expected));
}

/** The same bytes in the middle of a larger buffer, at an offset that is no multiple of a word. */
export function offsetView(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 10).fill(0xa5);
  larger.set(bytes, 3);
  return larger.subarray(3, 3 + bytes.length);
}
