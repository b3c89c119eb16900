/*
 * Mutations that know nothing of what they change but that it is bytes.
 */
import { join } from '../../support/bytes.js';
import { type Rng } from '../../support/rng.js';
import { type Mutator } from './target.js';

/** Where lengths go wrong: around limits of widths, signs and this format. */
const interesting = [
  0, 1, 2, 3, 7, 8, 15, 16, 17, 24, 31, 32, 33, 55, 56, 63, 64, 72, 74, 104, 127, 128, 255, 256, 448, 449,
  1000, 4096, 6144, 8192, 0x3fff, 0x4000, 0x4010, 20_480, 20_481, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000,
  0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** What text and JSON are spoilt with. */
const tokens = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'null',
  'true',
  'NaN',
  '-0',
  '1e999',
  '9007199254740993',
  '1e-400',
  '\\ud800',
  '\\u0000',
  '\ufeff',
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\n',
  '\r\n',
  '\u2028',
  '\u202e',
  '=',
  '==',
  '-',
  '_',
  '+',
  '/',
  '..',
  '.',
  '://',
  '%00',
  '%2f',
  '\0',
  ' ',
  '\t',
  'scrypt',
  '->',
  '---',
].map((token) => new Uint8Array(Buffer.from(token)));

/** Ill-formed UTF-8: overlong, a surrogate, beyond Unicode, a lone continuation, cut short. */
const illFormed = [
  [0xc0, 0x80],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80],
  [0xe2, 0x82],
  [0xff],
].map((bytes) => Uint8Array.from(bytes));

const splice = (input: Uint8Array, from: number, to: number, ...put: Uint8Array[]): Uint8Array =>
  join([input.subarray(0, from), ...put, input.subarray(to)]);

/** A number in 1, 2 or 4 bytes, in either order. */
function integer(rng: Rng): Uint8Array {
  const width = rng.pick([1, 2, 2, 4]);
  const value = (rng.pick(interesting) + rng.pick([0, 0, 0, 1, -1])) >>> 0;
  const bytes = Uint8Array.from({ length: width }, (_, i) => (value >>> (8 * (width - 1 - i))) & 0xff);
  return rng.below(4) === 0 ? bytes.reverse() : bytes;
}

/** A place, more often near the beginning, where headers are, or near the end. */
function place(length: number, rng: Rng): number {
  const near = Math.min(length, rng.pick([8, 64, 256, length, length]));
  const at = rng.below(near + 1);
  return rng.below(5) === 0 ? length - at : at;
}

function stretch(length: number, rng: Rng): readonly [from: number, to: number] {
  const from = place(length, rng);
  const size = rng.pick([1, 1, 2, 4, 16, 56, 256, 4096, length]);
  return [from, Math.min(length, from + 1 + rng.below(size))];
}

const flip: Mutator = (input, rng) => {
  const out = input.slice();
  const at = place(Math.max(0, out.length - 1), rng);
  if (out.length > 0) out[at] = (out[at] ?? 0) ^ (1 << rng.below(8));
  return out;
};
const setByte: Mutator = (input, rng) => {
  const out = input.slice();
  if (out.length > 0) out[place(out.length - 1, rng)] = rng.pick([0, 1, 0x7f, 0x80, 0xff, rng.below(256)]);
  return out;
};
const step: Mutator = (input, rng) => {
  const out = input.slice();
  const at = place(Math.max(0, out.length - 1), rng);
  if (out.length > 0) out[at] = ((out[at] ?? 0) + rng.pick([1, -1, 16, -16])) & 0xff;
  return out;
};
const cut: Mutator = (input, rng) => input.subarray(0, place(input.length, rng));
const drop: Mutator = (input, rng) => splice(input, ...stretch(input.length, rng));
const insert: Mutator = (input, rng) => {
  const at = place(input.length, rng);
  return splice(input, at, at, rng.bytes(1 + rng.below(rng.pick([2, 16, 200]))));
};
const insertToken: Mutator = (input, rng) => {
  const at = place(input.length, rng);
  return splice(input, at, at, rng.pick([...tokens, ...illFormed]));
};
const overwrite: Mutator = (input, rng) => {
  const at = place(input.length, rng);
  const put = rng.below(3) === 0 ? rng.pick([...tokens, ...illFormed]) : integer(rng);
  return splice(input, at, Math.min(input.length, at + put.length), put);
};
const zero: Mutator = (input, rng) => {
  const [from, to] = stretch(input.length, rng);
  return splice(input, from, to, new Uint8Array(to - from).fill(rng.pick([0, 0, 0xff])));
};
const repeat: Mutator = (input, rng) => {
  const [from, to] = stretch(input.length, rng);
  const piece = input.subarray(from, to);
  const most = Math.max(1, Math.floor(300_000 / Math.max(1, piece.length)));
  const times = Math.min(
    most,
    rng.below(40) === 0 ? rng.pick([1000, 100_000]) : rng.pick([1, 1, 1, 2, 8, 64]),
  );
  return splice(input, to, to, ...Array.from({ length: times }, () => piece));
};
const move: Mutator = (input, rng) => {
  const [from, to] = stretch(input.length, rng);
  const rest = splice(input, from, to);
  const at = place(rest.length, rng);
  return splice(rest, at, at, input.subarray(from, to));
};
const copy: Mutator = (input, rng) => {
  const [from, to] = stretch(input.length, rng);
  const at = place(input.length, rng);
  return splice(input, at, Math.min(input.length, at + to - from), input.subarray(from, to));
};
const join2: Mutator = (input, rng, others) => {
  const other = rng.pick(others);
  const [from, to] = stretch(other.length, rng);
  const [a, b] = stretch(input.length, rng);
  return rng.below(2) === 0
    ? join([input.subarray(0, a), other.subarray(Math.min(a, other.length))])
    : splice(input, a, b, other.subarray(from, to));
};

const ways: readonly Mutator[] = [
  flip,
  flip,
  setByte,
  step,
  cut,
  drop,
  insert,
  insertToken,
  overwrite,
  overwrite,
  zero,
  repeat,
  move,
  copy,
  join2,
];

/** One to four of these, one after the other. */
export const mutateBytes: Mutator = (input, rng, others) => {
  let out = input;
  for (let left = 1 + rng.below(rng.pick([1, 2, 4])); left > 0; left--)
    out = rng.pick(ways)(out, rng, others);
  return out;
};

/** Sets big-endian u16s and u32s at known places to what lengths should not be. */
export const lengthsAt =
  (...places: readonly number[]): Mutator =>
  (input, rng) => {
    const at = rng.pick(places);
    const now = ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0);
    const value = rng.below(2) === 0 ? now + rng.pick([-1, 1, -16, 16, 32, 256]) : rng.pick(interesting);
    return splice(
      input,
      at,
      Math.min(input.length, at + 2),
      Uint8Array.of((value >>> 8) & 0xff, value & 0xff),
    );
  };

/** Splices in words that the target knows. */
export const words =
  (...list: readonly string[]): Mutator =>
  (input, rng) => {
    const [from, to] = stretch(input.length, rng);
    return splice(input, from, rng.below(2) === 0 ? from : to, new Uint8Array(Buffer.from(rng.pick(list))));
  };
