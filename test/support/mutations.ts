import { join, same } from './bytes.js';
import { type Rng } from './rng.js';

/** Altered bytes, and in words how they were altered. */
export interface Mutation {
  readonly what: string;
  readonly bytes: Uint8Array;
}

interface Piece {
  readonly from: number;
  readonly to: number;
}

/**
 * Where salt, commitment and chunks begin, and where the last one ends, in `length` bytes (at least 56) of which the
 * body is what follows the first `at`.
 */
export function bodyEdges(length: number, at = 0): number[] {
  const edges = [at, at + 24];
  for (let chunk = at + 56; chunk < length; chunk += 16_400) edges.push(chunk);
  return [...edges, length];
}

/**
 * Ways to alter `bytes`, without end and never the bytes themselves: first every way to cut at an edge and to drop,
 * repeat, damage or swap what lies between two edges, then random ones. The same seed gives the same mutations.
 * `edges` ascend from 0 to `bytes.length`.
 */
export function* mutations(
  bytes: Uint8Array,
  rng: Rng,
  edges: readonly number[] = bodyEdges(bytes.length),
): Generator<Mutation, never> {
  const pieces = edges.slice(1).map((to, i) => ({ from: edges[i] ?? 0, to }));
  const differs = (mutation: Mutation): boolean => !same(mutation.bytes, bytes);
  yield* [...systematic(bytes, pieces)].filter(differs);
  for (;;) {
    const [what, alter] = rng.pick(randomWays);
    const mutation = { what, bytes: alter(bytes, rng, pieces) };
    if (differs(mutation)) yield mutation;
  }
}

/** The bytes with `replacement` in place of what lies from `from` to before `to`. */
const splice = (bytes: Uint8Array, from: number, to: number, ...replacement: Uint8Array[]): Uint8Array =>
  join([bytes.subarray(0, from), ...replacement, bytes.subarray(to)]);

const flip = (bytes: Uint8Array, at: number, mask: number): Uint8Array =>
  splice(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) ^ mask));

/** The bytes with two pieces, given in their order, in each other's place. */
const swap = (bytes: Uint8Array, a: Piece, b: Piece): Uint8Array =>
  splice(
    bytes,
    a.from,
    b.to,
    bytes.subarray(b.from, b.to),
    bytes.subarray(a.to, b.from),
    bytes.subarray(a.from, a.to),
  );

function* systematic(bytes: Uint8Array, pieces: readonly Piece[]): Generator<Mutation> {
  for (const [i, piece] of pieces.entries()) {
    const { from, to } = piece;
    const own = bytes.subarray(from, to);
    const name = `piece ${String(i)}`;
    yield { what: `cut before ${name}`, bytes: bytes.slice(0, from) };
    yield { what: `cut after the first byte of ${name}`, bytes: bytes.slice(0, from + 1) };
    yield { what: `cut before the last byte of ${name}`, bytes: bytes.slice(0, to - 1) };
    yield { what: `${name} dropped`, bytes: splice(bytes, from, to) };
    yield { what: `${name} repeated`, bytes: splice(bytes, to, to, own) };
    yield { what: `${name} repeated at the end`, bytes: join([bytes, own]) };
    yield { what: `${name} zeroed`, bytes: splice(bytes, from, to, new Uint8Array(own.length)) };
    yield { what: `first bit of ${name} flipped`, bytes: flip(bytes, from, 0x80) };
    yield { what: `last bit of ${name} flipped`, bytes: flip(bytes, to - 1, 0x01) };
    for (const [j, later] of pieces.slice(i + 1).entries()) {
      const other = `piece ${String(i + 1 + j)}`;
      yield { what: `${name} and ${other} swapped`, bytes: swap(bytes, piece, later) };
      yield {
        what: `${name} in place of ${other}`,
        bytes: splice(bytes, later.from, later.to, own),
      };
    }
  }
  yield { what: 'extended by a zero byte', bytes: join([bytes, new Uint8Array(1)]) };
  yield { what: 'extended by itself', bytes: join([bytes, bytes]) };
}

type Alter = (bytes: Uint8Array, rng: Rng, pieces: readonly Piece[]) => Uint8Array;

/** A place inside one of the pieces, each equally likely, so that short ones get their share. */
const placeIn = (pieces: readonly Piece[], rng: Rng): number => {
  const { from, to } = rng.pick(pieces);
  return from + rng.below(to - from);
};

const randomWays: readonly (readonly [what: string, alter: Alter])[] = [
  ['a bit flipped', (bytes, rng, pieces) => flip(bytes, placeIn(pieces, rng), 1 << rng.below(8))],
  ['a bit flipped anywhere', (bytes, rng) => flip(bytes, rng.below(bytes.length), 1 << rng.below(8))],
  [
    'a byte dropped',
    (bytes, rng, pieces) => {
      const at = placeIn(pieces, rng);
      return splice(bytes, at, at + 1);
    },
  ],
  [
    'a byte inserted',
    (bytes, rng, pieces) => {
      const at = placeIn(pieces, rng);
      return splice(bytes, at, at, rng.bytes(1));
    },
  ],
  [
    'some bytes replaced',
    (bytes, rng, pieces) => {
      const at = placeIn(pieces, rng);
      const length = Math.min(1 + rng.below(40), bytes.length - at);
      return splice(bytes, at, at + length, rng.bytes(length));
    },
  ],
  [
    'some bytes moved elsewhere',
    (bytes, rng, pieces) => {
      const at = placeIn(pieces, rng);
      const moved = bytes.subarray(at, at + 1 + rng.below(40));
      const rest = splice(bytes, at, at + moved.length);
      const to = rng.below(rest.length + 1);
      return splice(rest, to, to, moved);
    },
  ],
  ['cut', (bytes, rng, pieces) => bytes.slice(0, placeIn(pieces, rng))],
  ['cut anywhere', (bytes, rng) => bytes.slice(0, rng.below(bytes.length))],
  ['cut at the front', (bytes, rng) => bytes.slice(1 + rng.below(bytes.length))],
  ['extended', (bytes, rng) => join([bytes, rng.bytes(1 + rng.below(40))])],
];

/**
 * What can be made of `bytes` and `other`, built alike with the same edges, by putting a piece of one in or among
 * those of the other, and by going on with the other at an edge: never one of the two themselves.
 */
export function* transplants(
  bytes: Uint8Array,
  other: Uint8Array,
  edges: readonly number[],
): Generator<Mutation> {
  for (const made of crossed(bytes, other, edges)) {
    if (!same(made.bytes, bytes) && !same(made.bytes, other)) yield made;
  }
}

function* crossed(bytes: Uint8Array, other: Uint8Array, edges: readonly number[]): Generator<Mutation> {
  for (const [i, to] of edges.entries()) {
    const from = edges[i - 1] ?? 0;
    const foreign = other.subarray(from, to);
    const name = `piece ${String(i - 1)} of another`;
    yield {
      what: `beginning of another up to piece ${String(i)}`,
      bytes: join([other.subarray(0, to), bytes.subarray(to)]),
    };
    yield {
      what: `end of another from piece ${String(i)} on`,
      bytes: join([bytes.subarray(0, to), other.subarray(to)]),
    };
    yield { what: name, bytes: splice(bytes, from, to, foreign) };
    yield { what: `${name} inserted before its own`, bytes: splice(bytes, from, from, foreign) };
    yield { what: `${name} inserted after its own`, bytes: splice(bytes, to, to, foreign) };
    yield { what: `${name} at the end`, bytes: join([bytes, foreign]) };
  }
}
