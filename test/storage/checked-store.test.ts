import { describe, expect, it } from 'vitest';
import { KeyboundError } from '../../src/index.js';
import { readAtMost } from '../../src/storage/bytes.js';
import { checkedStore } from '../../src/storage/checked-store.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { objectStoreCases } from '../../src/testing/index.js';

const key = { folder: 'some/folder', name: 'name' };

/** A store that answers as told to, and how a caller gets on with it. */
const lying = (answers: Partial<Record<keyof ObjectStore, unknown>>): ObjectStore =>
  checkedStore('eu', Object.assign(memoryStore(), answers));

const pieces = (...values: unknown[]) => ({
  async *[Symbol.asyncIterator]() {
    await Promise.resolve();
    yield* values;
  },
  cancel: () => Promise.resolve(),
});

const object = (bytes: unknown) => () => Promise.resolve({ size: 1, version: 'v', bytes });

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => (error instanceof KeyboundError ? [error.code, error.details] : error),
  );
}

describe('a store that keeps to its contract', () => {
  const cases = objectStoreCases(() => Promise.resolve(checkedStore('eu', memoryStore())));
  it.each(cases)('$name', (one) => one.run());
});

describe('a store that does not', () => {
  const read = async (store: ObjectStore): Promise<unknown> => {
    const found = await store.get(key);
    return found && readAtMost(found.bytes, 100);
  };
  it.each<[string, Partial<Record<keyof ObjectStore, unknown>>, (store: ObjectStore) => Promise<unknown>]>([
    ['describes itself as nothing', { describe: () => Promise.resolve(null) }, (store) => store.describe()],
    [
      'describes a place that is none',
      {
        describe: () =>
          Promise.resolve({ location: 'x'.repeat(100), conditionalCreate: true, conditionalReplace: true }),
      },
      (store) => store.describe(),
    ],
    ['finds undefined', { get: () => Promise.resolve(undefined) }, read],
    ['finds an object without bytes', { get: object(null) }, read],
    [
      'finds an object of negative size',
      { get: () => Promise.resolve({ size: -1, version: 'v', bytes: pieces() }) },
      read,
    ],
    ['gives pieces that are text', { get: object(pieces('text')) }, read],
    [
      'gives empty pieces for ever',
      { get: object(pieces(...Array.from({ length: 1002 }, () => new Uint8Array(0)))) },
      read,
    ],
    ['throws what it does not document', { get: () => Promise.reject(new TypeError('x')) }, read],
    ['tells no version', { head: () => Promise.resolve({ size: 1 }) }, (store) => store.head(key)],
    [
      'says perhaps to a deletion',
      { delete: () => Promise.resolve('perhaps') },
      (store) => store.delete(key),
    ],
    ['lists nothing at all', { list: () => Promise.resolve({}) }, (store) => store.list('some/folder')],
    [
      'lists holes',
      { list: () => Promise.resolve({ entries: [undefined] }) },
      (store) => store.list('some/folder'),
    ],
    [
      'lists in a circle',
      { list: () => Promise.resolve({ entries: [], cursor: 'again' }) },
      (store) => store.list('some/folder', { cursor: 'again' }),
    ],
    [
      'names folders by numbers',
      { folders: () => Promise.resolve({ entries: [1] }) },
      (store) => store.folders('some'),
    ],
  ])('%s, and is told on', async (_, answers, use) => {
    expect(await refusal(use(lying(answers)))).toEqual(['store-failed', { region: 'eu' }]);
  });

  it('is let go of when its answer is refused', async () => {
    let cancelled = 0;
    const bytes = {
      ...pieces(),
      cancel: () => {
        cancelled++;
        return Promise.resolve();
      },
    };
    const store = lying({ get: () => Promise.resolve({ size: NaN, version: 'v', bytes }) });
    expect(await refusal(store.get(key))).toEqual(['store-failed', { region: 'eu' }]);
    expect(cancelled).toBe(1);
  });
});
