import assert from 'node:assert/strict';
import {
  assertSame,
  collect,
  expectError,
  joined,
  pattern,
  sourceOf,
  type Trial,
  type TrialCase,
} from './trial.js';

const kib = 1024;

const roundTrips = [0, 1, 16 * kib - 1, 16 * kib, 16 * kib + 1, kib * kib].map((size): TrialCase => [
  `gives back ${String(size)} bytes`,
  async (trial) => {
    const content = pattern(size);
    const info = await trial.put(trial.key(), content);
    assert.equal(info.size, size);
    const found = await trial.get(trial.key());
    assert.deepEqual({ size: found.size, version: found.version }, info);
    assertSame(await collect(found), content);
    assert.deepEqual(await trial.store.head(trial.key()), info);
  },
]);

/** Stores 600 KiB, more than one piece in any store, and compares a part of it. */
async function expectRange(trial: Trial, start: number, end: number): Promise<void> {
  const content = pattern(600 * kib);
  const { version } = await trial.put(trial.key(), content);
  const found = await trial.get(trial.key(), { range: { start, end } });
  assert.equal(found.size, content.length, 'expected the size of the whole object');
  assert.equal(found.version, version);
  assertSame(await collect(found), content.subarray(start, end));
}

export const contentCases: readonly TrialCase[] = [
  ...roundTrips,
  [
    'joins pieces of one byte',
    async (trial) => {
      const content = pattern(5000);
      await trial.store.put(trial.key(), sourceOf(content, 1));
      await trial.expectContent(trial.key(), content);
    },
  ],
  [
    'joins pieces of odd sizes, empty ones and large ones',
    async (trial) => {
      const content = pattern(kib * kib);
      const cuts = [0, 0, 1, 65_536, 65_536, 65_537, 400_000, content.length];
      // eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by its type
      async function* source(): AsyncGenerator<Uint8Array> {
        for (const [i, start] of cuts.entries()) yield content.subarray(start, cuts[i + 1] ?? content.length);
      }
      await trial.store.put(trial.key(), source());
      await trial.expectContent(trial.key(), content);
    },
  ],
  [
    'copes with a source that reuses its piece',
    async (trial) => {
      const piece = new Uint8Array(10_000);
      // eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by its type
      async function* source(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 100; i++) yield piece.fill(i);
      }
      await trial.store.put(trial.key(), source());
      const expected = new Uint8Array(1_000_000).map((_, at) => Math.floor(at / piece.length));
      await trial.expectContent(trial.key(), expected);
    },
  ],
  [
    'leaves the source’s pieces as they are, and keeps none of them',
    async (trial) => {
      const content = pattern(1000);
      const given = content.slice();
      await trial.put(trial.key(), given);
      assertSame(given, content);
      given.fill(0);
      await trial.expectContent(trial.key(), content);
    },
  ],
  [
    'hands out pieces that are the reader’s own',
    async (trial) => {
      const content = pattern(600 * kib);
      await trial.put(trial.key(), content);
      const found = await trial.get(trial.key());
      const pieces: Uint8Array[] = [];
      for await (const piece of found.bytes) {
        pieces.push(piece.slice());
        new Uint8Array(piece.buffer).fill(0);
      }
      assertSame(joined(pieces), content);
      await trial.expectContent(trial.key(), content);
    },
  ],
  ['reads a range in the middle', (trial) => expectRange(trial, 1, 599 * kib)],
  ['reads a range at the start', (trial) => expectRange(trial, 0, 10)],
  ['reads one byte', (trial) => expectRange(trial, 65_536, 65_537)],
  ['reads a range up to the end', (trial) => expectRange(trial, 300_000, 600 * kib)],
  ['clips a range at the end', (trial) => expectRange(trial, 300_001, 2 ** 40)],
  ['gives no bytes for a range that starts at the end', (trial) => expectRange(trial, 600 * kib, 601 * kib)],
  ['gives no bytes for a range past the end', (trial) => expectRange(trial, 2 ** 40, 2 ** 41)],
  [
    'refuses a range that is none',
    async (trial) => {
      await trial.put(trial.key(), 'x');
      for (const [start, end] of [
        [-1, 1],
        [1, 1],
        [2, 1],
        [0, 0.5],
        [0, NaN],
        [0, Infinity],
      ] as const) {
        await expectError(trial.store.get(trial.key(), { range: { start, end } }), 'invalid-argument');
      }
    },
  ],
  [
    'has nothing where nothing was put',
    async (trial) => {
      await trial.expectNothing(trial.key());
      assert.equal(await trial.store.delete(trial.key()), false);
    },
  ],
  [
    'replaces what was there with something shorter',
    async (trial) => {
      const before = await trial.put(trial.key(), pattern(kib * kib));
      const after = await trial.put(trial.key(), 'short');
      assert.notEqual(after.version, before.version);
      await trial.expectContent(trial.key(), 'short');
    },
  ],
];
