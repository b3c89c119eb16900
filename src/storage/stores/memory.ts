/*
 * A store in this process's memory, for tests and for trying things out. Every change is one step of the event loop, so
 * that preconditions hold without locks.
 */
import { checkSignal } from '../../internal/signal.js';
import { checkFolder, checkObjectKey } from '../object-key.js';
import {
  checkDeleteOptions,
  checkGetOptions,
  checkListOptions,
  checkLocationOption,
  checkPutOptions,
  checkSignalOption,
} from '../options.js';
import { pageOf } from '../paging.js';
import { checkCondition, checkPinned } from '../preconditions.js';
import { PulledBytes } from '../pulled-bytes.js';
import { SourceReader } from '../source-reader.js';
import {
  type DeleteOptions,
  type GetOptions,
  type ListOptions,
  type ListPage,
  type ObjectKey,
  type ObjectStore,
  type PutOptions,
  type StoreDescription,
  type StoredEntry,
  type StoredInfo,
  type StoredObject,
} from '../store.js';

/** Largest piece copied in or out, so that no single allocation is as large as an object. */
const pieceSize = 64 * 1024;

interface Held extends StoredInfo {
  /** All of `pieceSize` but the last. Never changed once stored: readers of a replaced object keep them. */
  readonly pieces: readonly Uint8Array[];
}

export interface MemoryStoreOptions {
  /** What the store calls its location. @default 'memory' */
  readonly location?: string;
}

/**
 * An {@link ObjectStore} in memory: not durable, not shared between processes, otherwise the whole contract. Throws
 * `invalid-argument`.
 */
export function memoryStore(options: MemoryStoreOptions = {}): ObjectStore {
  const { location = 'memory' } = checkLocationOption(options);
  return new MemoryStore(location);
}

class MemoryStore implements ObjectStore {
  readonly #folders = new Map<string, Map<string, Held>>();
  #changes = 0;

  constructor(readonly location: string) {}

  async describe(options?: { readonly signal?: AbortSignal }): Promise<StoreDescription> {
    await begin(checkSignalOption(options).signal);
    return { location: this.location, conditionalCreate: true, conditionalReplace: true };
  }

  async get(key: ObjectKey, given?: GetOptions): Promise<StoredObject | null> {
    checkObjectKey(key);
    const { signal, range, version } = checkGetOptions(given);
    await begin(signal);
    const held = this.#find(key);
    checkPinned(key, version, held?.version ?? null);
    if (held === undefined) return null;
    const start = range?.start ?? 0;
    return {
      ...infoOf(held),
      bytes: read(held, start, Math.min(range?.end ?? held.size, held.size), signal),
    };
  }

  async head(key: ObjectKey, options?: { readonly signal?: AbortSignal }): Promise<StoredInfo | null> {
    checkObjectKey(key);
    await begin(checkSignalOption(options).signal);
    const held = this.#find(key);
    return held === undefined ? null : infoOf(held);
  }

  async put(key: ObjectKey, source: AsyncIterable<Uint8Array>, given?: PutOptions): Promise<StoredInfo> {
    const reader = new SourceReader(source, pieceSize, given?.signal);
    try {
      checkObjectKey(key);
      const { if: condition, signal } = checkPutOptions(given);
      await begin(signal);
      this.#check(key, condition);
      const pieces: Uint8Array[] = [];
      let size = 0;
      for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
        pieces.push(piece.slice());
        size += piece.length;
      }
      this.#check(key, condition);
      const held = { pieces, size, version: String(++this.#changes) };
      this.#folder(key.folder).set(key.name, held);
      return infoOf(held);
    } finally {
      await reader.close();
    }
  }

  async delete(key: ObjectKey, given?: DeleteOptions): Promise<boolean> {
    checkObjectKey(key);
    const { if: condition, signal } = checkDeleteOptions(given);
    await begin(signal);
    if (this.#find(key) === undefined) return false;
    this.#check(key, condition);
    const folder = this.#folder(key.folder);
    folder.delete(key.name);
    if (folder.size === 0) this.#folders.delete(key.folder);
    return true;
  }

  async list(folder: string, given?: ListOptions): Promise<ListPage<StoredEntry>> {
    checkFolder(folder);
    const options = checkListOptions(given);
    await begin(options.signal);
    const objects = this.#folders.get(folder) ?? new Map<string, Held>();
    const { entries, ...rest } = pageOf(objects.keys(), options);
    return {
      entries: entries.flatMap((name) => {
        const held = objects.get(name);
        return held === undefined ? [] : [{ name, ...infoOf(held) }];
      }),
      ...rest,
    };
  }

  async folders(folder: string, given?: ListOptions): Promise<ListPage<string>> {
    checkFolder(folder);
    const options = checkListOptions(given);
    await begin(options.signal);
    const segments = new Set<string>();
    for (const path of this.#folders.keys()) {
      if (path.startsWith(`${folder}/`))
        segments.add(
          path
            .slice(folder.length + 1)
            .split('/', 1)
            .join(),
        );
    }
    return pageOf(segments, options);
  }

  #find(key: ObjectKey): Held | undefined {
    return this.#folders.get(key.folder)?.get(key.name);
  }

  #folder(folder: string): Map<string, Held> {
    const objects = this.#folders.get(folder) ?? new Map<string, Held>();
    this.#folders.set(folder, objects);
    return objects;
  }

  #check(key: ObjectKey, condition: PutOptions['if']): void {
    checkCondition(key, condition, this.#find(key)?.version ?? null);
  }
}

/** Lets others run first, as a store does that is further away. */
async function begin(signal: AbortSignal | undefined): Promise<void> {
  await Promise.resolve();
  checkSignal(signal);
}

const infoOf = ({ size, version }: StoredInfo): StoredInfo => ({ size, version });

function read(held: Held, start: number, end: number, signal: AbortSignal | undefined): PulledBytes {
  let at = start;
  return new PulledBytes({
    // eslint-disable-next-line @typescript-eslint/require-await -- a supply is asynchronous by its type
    pull: async () => {
      checkSignal(signal);
      if (at >= end) return null;
      const offset = at % pieceSize;
      const piece = held.pieces[Math.floor(at / pieceSize)]?.slice(offset, offset + end - at);
      at += piece?.length ?? 0;
      return piece ?? null;
    },
    release: () => Promise.resolve(),
  });
}
