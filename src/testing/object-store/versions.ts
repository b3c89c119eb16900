import assert from 'node:assert/strict';
import {
  assertSame,
  bytesOf,
  collect,
  expectError,
  joined,
  outcomes,
  pattern,
  sourceOf,
  type TrialCase,
} from './trial.js';

const contenders = Array.from({ length: 16 }, (_, i) => i);

export const versionCases: readonly TrialCase[] = [
  [
    'creates what is absent and refuses to create what exists',
    async (trial) => {
      await trial.put(trial.key(), 'first', { if: 'absent' });
      await expectError(trial.put(trial.key(), 'second', { if: 'absent' }), 'object-exists');
      await trial.expectContent(trial.key(), 'first');
    },
  ],
  [
    'creates again after deletion',
    async (trial) => {
      await trial.put(trial.key(), 'first', { if: 'absent' });
      assert.equal(await trial.store.delete(trial.key()), true);
      await trial.expectNothing(trial.key());
      await trial.put(trial.key(), 'second', { if: 'absent' });
      await trial.expectContent(trial.key(), 'second');
    },
  ],
  [
    'replaces the version named, and no other',
    async (trial) => {
      const first = await trial.put(trial.key(), 'first');
      const second = await trial.put(trial.key(), 'second', { if: { version: first.version } });
      assert.notEqual(second.version, first.version);
      const stale = trial.put(trial.key(), 'third', { if: { version: first.version } });
      await expectError(stale, 'precondition-failed');
      await trial.expectContent(trial.key(), 'second');
      assert.deepEqual(await trial.store.head(trial.key()), second);
    },
  ],
  [
    'replaces nothing where there is nothing',
    async (trial) => {
      const { version } = await trial.put(trial.key(), 'first');
      await trial.store.delete(trial.key());
      await expectError(trial.put(trial.key(), 'second', { if: { version } }), 'precondition-failed');
      await trial.expectNothing(trial.key());
    },
  ],
  [
    'deletes the version named, and no other',
    async (trial) => {
      const first = await trial.put(trial.key(), 'first');
      const second = await trial.put(trial.key(), 'second');
      const stale = trial.store.delete(trial.key(), { if: { version: first.version } });
      await expectError(stale, 'precondition-failed');
      await trial.expectContent(trial.key(), 'second');
      assert.equal(await trial.store.delete(trial.key(), { if: { version: second.version } }), true);
      await trial.expectNothing(trial.key());
      assert.equal(await trial.store.delete(trial.key(), { if: { version: second.version } }), false);
    },
  ],
  [
    'gives the same bytes another version every time',
    async (trial) => {
      const versions = new Set<string>();
      for (let i = 0; i < 5; i++) {
        versions.add((await trial.put(trial.key(), 'same')).version);
        versions.add((await trial.put(trial.key(), 'same')).version);
        await trial.store.delete(trial.key());
      }
      assert.equal(versions.size, 10);
    },
  ],
  [
    'refuses a version from before deletion and re-creation',
    async (trial) => {
      const { version } = await trial.put(trial.key(), 'same');
      await trial.store.delete(trial.key());
      await trial.put(trial.key(), 'same');
      await expectError(trial.put(trial.key(), 'other', { if: { version } }), 'precondition-failed');
      await expectError(trial.store.delete(trial.key(), { if: { version } }), 'precondition-failed');
      await expectError(trial.store.get(trial.key(), { version }), 'object-changed');
      await trial.expectContent(trial.key(), 'same');
    },
  ],
  [
    'reads the version named, and says so when it is gone',
    async (trial) => {
      const { version } = await trial.put(trial.key(), 'first');
      assertSame(await trial.read(trial.key(), { version }), bytesOf('first'));
      await trial.put(trial.key(), 'second');
      await expectError(trial.store.get(trial.key(), { version }), 'object-changed');
      await trial.store.delete(trial.key());
      await expectError(trial.store.get(trial.key(), { version }), 'object-changed');
    },
  ],
  [
    'lets one of many creators win',
    async (trial) => {
      const puts = contenders.map((i) => trial.put(trial.key(), `creator ${String(i)}`, { if: 'absent' }));
      const { won, codes } = await outcomes(puts);
      assert.equal(won.length, 1);
      assert.deepEqual(new Set(codes), new Set(['object-exists']));
      assert.deepEqual(await trial.store.head(trial.key()), won[0]);
    },
  ],
  [
    'lets one of many replacers of one version win',
    async (trial) => {
      const { version } = await trial.put(trial.key(), 'before');
      const puts = contenders.map((i) =>
        trial.put(trial.key(), `replacer ${String(i)}`, { if: { version } }),
      );
      const { won, codes } = await outcomes(puts);
      assert.equal(won.length, 1);
      assert.deepEqual(new Set(codes), new Set(['precondition-failed']));
      assert.deepEqual(await trial.store.head(trial.key()), won[0]);
    },
  ],
  [
    'lets one of many deleters win',
    async (trial) => {
      await trial.put(trial.key(), 'before');
      const { won, codes } = await outcomes(contenders.map(() => trial.store.delete(trial.key())));
      assert.deepEqual(codes, []);
      assert.equal(won.filter(Boolean).length, 1);
    },
  ],
  [
    'counts right when many read, add one and replace',
    async (trial) => {
      await trial.put(trial.key(), '0');
      const addOne = async (): Promise<void> => {
        for (;;) {
          const found = await trial.get(trial.key());
          const next = String(Number(new TextDecoder().decode(await collect(found))) + 1);
          const { codes } = await outcomes([
            trial.put(trial.key(), next, { if: { version: found.version } }),
          ]);
          if (codes.length === 0) return;
          assert.deepEqual(codes, ['precondition-failed']);
        }
      };
      await Promise.all([addOne(), addOne(), addOne(), addOne()]);
      await trial.expectContent(trial.key(), '4');
    },
  ],
  [
    'never mixes what concurrent writers put',
    async (trial) => {
      const contents = contenders.slice(0, 4).map((i) => pattern(300_000 + i, i));
      const known = new Map<string, Uint8Array>();
      const write = async (content: Uint8Array): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const { version } = await trial.store.put(trial.key(), sourceOf(content, 50_000));
          known.set(version, content);
        }
      };
      const seen: { version: string; size: number; body: Uint8Array }[] = [];
      const watch = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const found = await trial.get(trial.key());
          seen.push({ version: found.version, size: found.size, body: await collect(found) });
        }
      };
      await write(contents[0] ?? pattern(1));
      await Promise.all([...contents.map(write), watch(), watch()]);
      for (const { version, size, body } of seen) {
        assert.equal(size, body.length);
        assertSame(body, known.get(version) ?? assert.fail('expected a version that someone put'));
      }
    },
  ],
  [
    'finishes reading what is replaced or deleted meanwhile, or says that it changed',
    async (trial) => {
      const content = pattern(1 << 20);
      await trial.put(trial.key(), content);
      const iterator = (await trial.get(trial.key())).bytes[Symbol.asyncIterator]();
      const pieces: Uint8Array[] = [];
      try {
        for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
          pieces.push(step.value);
          if (pieces.length === 1) await trial.put(trial.key(), pattern(1 << 20, 2));
          if (pieces.length === 2) await trial.store.delete(trial.key());
        }
        assertSame(joined(pieces), content);
      } catch (error) {
        await expectError(Promise.reject(error instanceof Error ? error : new Error()), 'object-changed');
      }
    },
  ],
];
