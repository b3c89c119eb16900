/*
 * A store and a KMS whose every step waits for its turn, and what became visible in the store when.
 */
import { type ObjectKey, type ObjectStore, type StoredBytes } from '../../src/storage/store.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { join } from './bytes.js';
import { type Scheduler } from './scheduler.js';
import { type SwitchableKeys } from './switchable-keys.js';

/** Stored bodies are given out in pieces of this size, so that much can happen while one is read. */
const pieceSize = 20_000;

/** Something became visible in the store, or, with no version, was deleted. */
export interface Commit {
  readonly at: number;
  readonly key: ObjectKey;
  readonly version: string | null;
  /** What was stored. */
  readonly bytes: Uint8Array;
  /** When the last of these bytes were given to the store. */
  readonly lastByteAt: number;
}

export interface ScheduledStore extends ObjectStore {
  /** In the order in which they took effect. */
  readonly commits: Commit[];
}

const place = ({ folder, name }: ObjectKey): string =>
  `${folder.split('/').slice(2).join('/')}/${name.slice(0, 20)}`;

export function scheduledStore(scheduler: Scheduler, inner: ObjectStore = memoryStore()): ScheduledStore {
  const commits: Commit[] = [];

  /** Before it, and perhaps after it, others come. */
  async function inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    await scheduler.step(what);
    try {
      return await work();
    } finally {
      await scheduler.maybe(`answer to ${what}`);
    }
  }

  function inPieces(what: string, bytes: StoredBytes): StoredBytes {
    return {
      cancel: () => bytes.cancel(),
      async *[Symbol.asyncIterator]() {
        for await (const all of bytes) {
          for (let at = 0; at < all.length; at += pieceSize) {
            await scheduler.step(`piece of ${what}`);
            yield all.slice(at, at + pieceSize);
          }
        }
      },
    };
  }

  return {
    commits,
    location: inner.location,
    describe: (options) => inner.describe(options),
    async get(key, options) {
      const what = `get ${place(key)}`;
      const found = await inTurn(what, () => inner.get(key, options));
      if (found === null || !key.folder.includes('/objects/')) return found;
      return { ...found, bytes: inPieces(what, found.bytes) };
    },
    head: (key, options) => inTurn(`head ${place(key)}`, () => inner.head(key, options)),
    async put(key, source, options) {
      const parts: Uint8Array[] = [];
      let lastByteAt = Date.now();
      async function* pulled(): AsyncGenerator<Uint8Array> {
        for await (const piece of source) {
          parts.push(piece.slice());
          lastByteAt = Date.now();
          yield piece;
          await scheduler.step(`pull for ${place(key)}`);
        }
      }
      return inTurn(`put ${place(key)}`, async () => {
        const info = await inner.put(key, pulled(), options);
        commits.push({ at: Date.now(), key, version: info.version, bytes: join(parts), lastByteAt });
        return info;
      });
    },
    delete: (key, options) =>
      inTurn(`delete ${place(key)}`, async () => {
        const deleted = await inner.delete(key, options);
        const at = Date.now();
        if (deleted) commits.push({ at, key, version: null, bytes: new Uint8Array(0), lastByteAt: at });
        return deleted;
      }),
    list: (folder, options) =>
      inTurn(`list ${folder.split('/').slice(2).join('/')}`, () => inner.list(folder, options)),
    folders: (folder, options) => inner.folders(folder, options),
  };
}

/** Makes the answers of a provider wait for their turn. */
export function scheduleKeys(scheduler: Scheduler, keys: SwitchableKeys): void {
  const { wrap, unwrap } = keys;
  keys.wrap = async (uri, ...rest) => {
    await scheduler.step(`wrap ${uri}`);
    return wrap(uri, ...rest);
  };
  keys.unwrap = async (uri, ...rest) => {
    await scheduler.step(`unwrap ${uri}`);
    return unwrap(uri, ...rest);
  };
}
