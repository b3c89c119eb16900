import { describe, expect, it } from 'vitest';
import { IntegrityFailure } from '../../src/errors.js';
import {
  atRandom,
  openRun,
  openStream,
  openWhole,
  seal,
  type Outcome,
  type Under,
} from '../support/body-routes.js';
import { expectSame } from '../support/bytes.js';
import { nodeEngine, portableEngine } from '../support/engines.js';
import { mutations, type Mutation } from '../support/mutations.js';
import { Rng } from '../support/rng.js';

const under: Under = {
  engine: nodeEngine,
  key: new Rng(1).bytes(32),
  context: new Rng(2).bytes(20),
};
const salt = new Rng(3).bytes(24);
const messageOf = (size: number): Uint8Array => new Rng(size).bytes(size);
const bodyOf = (size: number): Uint8Array => seal(under, messageOf(size), salt);

function take(bytes: Uint8Array, seed: number, count: number, edges?: readonly number[]): Mutation[] {
  const endless = mutations(bytes, new Rng(seed), edges);
  return Array.from({ length: count }, () => endless.next().value);
}

function expectRejected(outcome: Outcome, message: Uint8Array, what: string): void {
  expect(outcome.failure, what).toBeInstanceOf(IntegrityFailure);
  expectSame(outcome.released, message.subarray(0, outcome.released.length));
}

/** 10,000 in all. The portable engine, much slower, sees each 20th. */
const runs = [
  ...[0, 1, 7, 100, 1000].map((size) => ({ size, count: 1200 })),
  ...[16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 33_000, 40_000].map((size) => ({ size, count: 500 })),
];

it('tries 10,000 mutations', () => {
  expect(runs.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
});

describe.each(runs)('the body of a message of $size bytes', ({ size, count }) => {
  const message = messageOf(size);
  const mutants = take(bodyOf(size), size, count);

  it('is rejected however it was altered', () => {
    for (const { what, bytes } of mutants) expectRejected(openWhole(under, bytes), message, what);
  });

  it('releases only true plaintext to a stream before it is rejected', () => {
    const split = atRandom(new Rng(size));
    for (const { what, bytes } of mutants) expectRejected(openStream(under, bytes, split), message, what);
  });

  it('is rejected by the portable engine too', () => {
    const portable = { ...under, engine: portableEngine };
    const split = atRandom(new Rng(size));
    for (const { what, bytes } of mutants.filter((_, i) => i % 20 === 0)) {
      expectRejected(openStream(portable, bytes, split), message, what);
    }
  });
});

it('gives only true plaintext to a range of an altered body', () => {
  const message = messageOf(33_000);
  for (const { what, bytes } of take(bodyOf(33_000), 5, 600)) {
    for (const first of [0, 1, 2, 3]) {
      for (const end of [first + 1, first + 2, 'final'] as const) {
        const truth = message.subarray(first * 16_384, end === 'final' ? message.length : end * 16_384);
        try {
          const released = openRun(under, bytes, first, end);
          // A run that does not reach the final chunk cannot know whether the body goes on: its reader must count.
          expectSame(released, end === 'final' ? truth : truth.subarray(0, released.length));
        } catch (error) {
          expect(error, what).toBeInstanceOf(IntegrityFailure);
        }
      }
    }
  }
});

describe('the body of one message', () => {
  const body = bodyOf(100);
  const opens = (changes: Partial<Under>): boolean => {
    const { failure } = openWhole({ ...under, ...changes }, body);
    if (failure !== undefined) expect(failure).toBeInstanceOf(IntegrityFailure);
    return failure === undefined;
  };

  it('opens under its own key and context', () => {
    expect(opens({})).toBe(true);
  });

  it('does not open under a key that differs in any one bit', () => {
    for (let bit = 0; bit < 256; bit++) {
      const key = under.key.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(opens({ key }), `bit ${String(bit)}`).toBe(false);
    }
  });

  it('does not open under any other context', () => {
    for (const { what, bytes } of take(under.context, 6, 500, [0, under.context.length])) {
      expect(opens({ context: bytes }), what).toBe(false);
    }
  });
});
