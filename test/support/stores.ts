/*
 * Stores around stores: what is asked of them can be watched, changed in between, and thrown away.
 */
import {
  type GetOptions,
  type ObjectKey,
  type ObjectStore,
  type StoredBytes,
  type StoredObject,
} from '../../src/storage/store.js';
import { memoryStore } from '../../src/storage/stores/memory.js';

/** One `get` of a store. */
export interface GetRequest {
  readonly key: ObjectKey;
  readonly range: GetOptions['range'];
}

export interface WatchedStore extends ObjectStore {
  /** Every `get`, in order. Empty it to begin anew. */
  readonly gets: GetRequest[];
  /** Every call of any method. */
  calls: number;
  /** Reads of objects that were neither ended nor cancelled. */
  readonly unreleased: number;
  /** Runs once, before the `get` of an object that comes after `skip` others. */
  beforeGet(skip: number, work: () => Promise<unknown>): void;
  /** Runs once, in the middle of the next `put` of an object. */
  duringPut(work: () => Promise<unknown>): void;
}

/** Whether a key is that of an object, rather than of a binding or a wrap. */
export const isObject = (key: ObjectKey): boolean => key.folder.includes('/objects/');

export function watchedStore(inner: ObjectStore = memoryStore()): WatchedStore {
  const gets: GetRequest[] = [];
  const open = new Set<StoredBytes>();
  let hook: { skip: number; work: () => Promise<unknown> } | undefined;
  let putHook: (() => Promise<unknown>) | undefined;

  async function* interrupted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      yield piece;
      const work = putHook;
      putHook = undefined;
      await work?.();
    }
  }

  function watched(found: StoredObject): StoredObject {
    const { bytes } = found;
    open.add(bytes);
    return {
      ...found,
      bytes: {
        cancel: async () => {
          await bytes.cancel();
          open.delete(bytes);
        },
        async *[Symbol.asyncIterator]() {
          try {
            yield* bytes;
          } finally {
            open.delete(bytes);
          }
        },
      },
    };
  }

  const store: WatchedStore = {
    gets,
    calls: 0,
    get unreleased() {
      return open.size;
    },
    beforeGet(skip, work) {
      hook = { skip, work };
    },
    duringPut(work) {
      putHook = work;
    },
    location: inner.location,
    async get(key, options) {
      store.calls++;
      if (isObject(key) && hook !== undefined && hook.skip-- === 0) {
        const { work } = hook;
        hook = undefined;
        await work();
      }
      gets.push({ key, range: options?.range });
      const found = await inner.get(key, options);
      return found === null ? null : watched(found);
    },
    describe: (options) => (store.calls++, inner.describe(options)),
    head: (key, options) => (store.calls++, inner.head(key, options)),
    put: (key, source, options) => (
      store.calls++,
      inner.put(key, isObject(key) ? interrupted(source) : source, options)
    ),
    delete: (key, options) => (store.calls++, inner.delete(key, options)),
    list: (folder, options) => (store.calls++, inner.list(folder, options)),
    folders: (folder, options) => (store.calls++, inner.folders(folder, options)),
  };
  return store;
}

/** A store that takes objects of any size and forgets them; bindings and wraps it keeps. */
export function forgetfulStore(inner: ObjectStore = memoryStore()): ObjectStore {
  let changes = 0;
  return {
    location: inner.location,
    describe: (options) => inner.describe(options),
    get: (key, options) => inner.get(key, options),
    head: (key, options) => inner.head(key, options),
    delete: (key, options) => inner.delete(key, options),
    list: (folder, options) => inner.list(folder, options),
    folders: (folder, options) => inner.folders(folder, options),
    async put(key, source, options) {
      if (!isObject(key)) return inner.put(key, source, options);
      let size = 0;
      for await (const piece of source) size += piece.length;
      return { size, version: `forgotten-${String(++changes)}` };
    },
  };
}

/** A store with what `inner` holds, in which `put` of an object fails at once and leaves its source alone. */
export function failingPuts(inner: ObjectStore, error: Error): ObjectStore {
  return {
    location: inner.location,
    describe: (options) => inner.describe(options),
    get: (key, options) => inner.get(key, options),
    head: (key, options) => inner.head(key, options),
    delete: (key, options) => inner.delete(key, options),
    list: (folder, options) => inner.list(folder, options),
    folders: (folder, options) => inner.folders(folder, options),
    put: (key, source, options) => (isObject(key) ? Promise.reject(error) : inner.put(key, source, options)),
  };
}

/** All of one stored object. */
export async function storedBytes(store: ObjectStore, key: ObjectKey): Promise<Uint8Array> {
  const found = await store.get(key);
  if (found === null) throw new Error(`nothing is stored as ${key.name}`);
  const parts: Uint8Array[] = [];
  for await (const part of found.bytes) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** Stores bytes as they are, in place of what is there. */
export async function storeBytes(store: ObjectStore, key: ObjectKey, bytes: Uint8Array): Promise<void> {
  await store.put(
    key,
    (async function* () {
      yield await Promise.resolve(bytes);
    })(),
  );
}
