import assert from 'node:assert/strict';
import { type ObjectKey } from '../../storage/store.js';
import {
  bytesOf,
  collect,
  EndlessSource,
  expectError,
  pattern,
  sourceOf,
  type Trial,
  type TrialCase,
} from './trial.js';

const boom = new Error('the source failed');
const fail = (): never => {
  throw boom;
};

/** A put that stores nothing leaves nothing, and what was there before stays. */
async function expectNoTrace(trial: Trial, put: (key: ObjectKey) => Promise<unknown>): Promise<void> {
  await put(trial.key());
  await trial.expectNothing(trial.key());
  const before = await trial.put(trial.key(), 'before');
  await put(trial.key());
  await trial.expectContent(trial.key(), 'before');
  assert.deepEqual(await trial.store.head(trial.key()), before);
}

const sourceCases: readonly TrialCase[] = [
  [
    'stores nothing when the source throws at its end, and passes its error on',
    (trial) =>
      expectNoTrace(trial, async (key) => {
        const put = trial.store.put(key, sourceOf(pattern(300_000), 10_000, fail));
        await assert.rejects(put, (error) => error === boom);
      }),
  ],
  [
    'stores nothing when the source throws at once',
    (trial) =>
      expectNoTrace(trial, async (key) => {
        const put = trial.store.put(key, sourceOf(new Uint8Array(0), 1, fail));
        await assert.rejects(put, (error) => error === boom);
      }),
  ],
  [
    'passes on an error that looks like one of the file system',
    async (trial) => {
      const lookalike = Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2 });
      const source = sourceOf(new Uint8Array(5), 1, () => {
        throw lookalike;
      });
      await assert.rejects(trial.store.put(trial.key(), source), (error) => error === lookalike);
    },
  ],
  [
    'shows nothing before the source has ended',
    async (trial) => {
      const source = sourceOf(pattern(300_000), 10_000, () => trial.expectNothing(trial.key()));
      await trial.store.put(trial.key(), source, { if: 'absent' });
      await trial.expectContent(trial.key(), pattern(300_000));
    },
  ],
  [
    'notices what was created while the source was read',
    async (trial) => {
      const source = sourceOf(bytesOf('late'), 1, () => trial.put(trial.key(), 'early'));
      await expectError(trial.store.put(trial.key(), source, { if: 'absent' }), 'object-exists');
      await trial.expectContent(trial.key(), 'early');
    },
  ],
  [
    'notices what was replaced while the source was read',
    async (trial) => {
      const { version } = await trial.put(trial.key(), 'before');
      const source = sourceOf(bytesOf('late'), 1, () => trial.put(trial.key(), 'early'));
      const put = trial.store.put(trial.key(), source, { if: { version } });
      await expectError(put, 'precondition-failed');
      await trial.expectContent(trial.key(), 'early');
    },
  ],
  [
    'pulls one piece at a time, to the end and not beyond',
    async (trial) => {
      let busy = 0;
      let pulls = 0;
      let returned = 0;
      const source: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            assert.equal(busy++, 0, 'expected one pull at a time');
            await Promise.resolve();
            busy--;
            return pulls++ < 50
              ? { done: false, value: new Uint8Array(1000) }
              : { done: true, value: undefined };
          },
          return: () => {
            returned++;
            return Promise.resolve({ done: true, value: undefined });
          },
        }),
      };
      assert.equal((await trial.store.put(trial.key(), source)).size, 50_000);
      assert.equal(pulls, 51);
      assert.equal(returned, 0, 'expected a source that has ended to be left alone');
    },
  ],
];

const abortCases: readonly TrialCase[] = [
  [
    'does nothing when its signal has aborted before',
    async (trial) => {
      await trial.put(trial.key(), 'before');
      const options = { signal: AbortSignal.abort() };
      const { store } = trial;
      const source = new EndlessSource();
      await expectError(store.put(trial.key(), source, options), 'aborted');
      assert.equal(source.pulls, 0);
      assert.equal(source.returned, 1);
      await expectError(store.get(trial.key(), options), 'aborted');
      await expectError(store.head(trial.key(), options), 'aborted');
      await expectError(store.delete(trial.key(), options), 'aborted');
      await expectError(store.list(trial.folder, options), 'aborted');
      await expectError(store.folders(trial.folder, options), 'aborted');
      await expectError(store.describe(options), 'aborted');
      await trial.expectContent(trial.key(), 'before');
    },
  ],
  [
    'stores nothing when its signal aborts while the source is read',
    (trial) =>
      expectNoTrace(trial, async (key) => {
        const aborter = new AbortController();
        const source = new EndlessSource((before) => {
          if (before === 7) aborter.abort();
        });
        await expectError(trial.store.put(key, source, { signal: aborter.signal }), 'aborted');
        assert.equal(source.returned, 1);
      }),
  ],
  [
    'stores nothing when its signal aborts at the end of the source',
    (trial) =>
      expectNoTrace(trial, async (key) => {
        const aborter = new AbortController();
        const source = sourceOf(pattern(1000), 1000, () => {
          aborter.abort();
        });
        await expectError(trial.store.put(key, source, { signal: aborter.signal }), 'aborted');
      }),
  ],
  [
    'does not wait for a source that hangs when its signal aborts',
    async (trial) => {
      const aborter = new AbortController();
      const hanging = sourceOf(pattern(10), 10, () => {
        setTimeout(() => {
          aborter.abort();
        }, 5);
        return new Promise(() => undefined);
      });
      await expectError(trial.store.put(trial.key(), hanging, { signal: aborter.signal }), 'aborted');
      await trial.expectNothing(trial.key());
    },
  ],
  [
    'gives the source back when it fails on a piece that is not bytes',
    async (trial) => {
      const source = new EndlessSource();
      const iterator = source[Symbol.asyncIterator]();
      const texts: AsyncIterable<Uint8Array> = {
        // Wrong on purpose: what a caller without types may pass.
        [Symbol.asyncIterator]: () => ({
          ...iterator,
          next: () => Promise.resolve({ done: false, value: 'text' as unknown as Uint8Array }),
        }),
      };
      await expectError(trial.store.put(trial.key(), texts), 'source-failed');
      assert.equal(source.returned, 1);
      await trial.expectNothing(trial.key());
    },
  ],
  [
    'gives the source back when the key is refused',
    async (trial) => {
      const source = new EndlessSource();
      await expectError(trial.store.put(trial.key(''), source), 'invalid-argument');
      assert.equal(source.pulls, 0);
      assert.equal(source.returned, 1);
    },
  ],
  [
    'stops reading when its signal aborts',
    async (trial) => {
      await trial.put(trial.key(), pattern(1 << 20));
      const aborter = new AbortController();
      const found = await trial.get(trial.key(), { signal: aborter.signal });
      aborter.abort();
      await expectError(collect(found), 'aborted');
    },
  ],
];

const leavingCases: readonly TrialCase[] = [
  [
    'lets a reader leave without reading, and more than once',
    async (trial) => {
      await trial.put(trial.key(), pattern(1 << 20));
      const { bytes } = await trial.get(trial.key());
      await bytes.cancel();
      await bytes.cancel();
      await assert.rejects(async () => {
        for await (const piece of bytes) assert.fail(`expected no bytes, got ${String(piece.length)}`);
      });
    },
  ],
  [
    'lets a reader leave early, by leaving the loop',
    async (trial) => {
      await trial.put(trial.key(), pattern(1 << 20));
      for (let i = 0; i < 20; i++) {
        const { bytes } = await trial.get(trial.key());
        for await (const piece of bytes) {
          assert.ok(piece.length > 0);
          break;
        }
        await bytes.cancel();
      }
    },
  ],
  [
    'lets a reader leave before the first step',
    async (trial) => {
      await trial.put(trial.key(), 'content');
      const { bytes } = await trial.get(trial.key());
      await bytes[Symbol.asyncIterator]().return?.();
      await bytes.cancel();
    },
  ],
  [
    'lets a reader that has read everything cancel',
    async (trial) => {
      await trial.put(trial.key(), 'content');
      const found = await trial.get(trial.key());
      await collect(found);
      await found.bytes.cancel();
    },
  ],
  [
    'gives its bytes once',
    async (trial) => {
      await trial.put(trial.key(), 'content');
      const found = await trial.get(trial.key());
      await collect(found);
      await assert.rejects(collect(found));
    },
  ],
  [
    'says what it is',
    async (trial) => {
      const described = await trial.store.describe();
      assert.equal(described.location, trial.store.location);
      assert.match(described.location, /^[a-z0-9-]+(:[a-z0-9-]+)?$/);
      assert.equal(described.conditionalCreate, true);
      assert.equal(described.conditionalReplace, true);
    },
  ],
];

export const failureCases: readonly TrialCase[] = [...sourceCases, ...abortCases, ...leavingCases];
