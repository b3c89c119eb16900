/*
 * What the cases work with: a store with a folder of their own in it, sources and expectations.
 */
import assert from 'node:assert/strict';
import { KeyboundError, type ErrorCode } from '../../errors.js';
import { concat } from '../../internal/bytes.js';
import { readAtMost } from '../../storage/bytes.js';
import {
  type GetOptions,
  type ListOptions,
  type ListPage,
  type ObjectKey,
  type ObjectStore,
  type PutOptions,
  type StoredInfo,
  type StoredObject,
} from '../../storage/store.js';

/** Larger than any object of the suite. */
const anySize = 1 << 26;

/** A store, and a folder in it that no other case uses. */
export class Trial {
  constructor(
    readonly store: ObjectStore,
    readonly folder: string,
  ) {}

  /** An object's place in the folder of this case, or in a folder below it. */
  key(name = 'object', below?: string): ObjectKey {
    return { folder: below === undefined ? this.folder : `${this.folder}/${below}`, name };
  }

  put(key: ObjectKey, content: Uint8Array | string, options?: PutOptions): Promise<StoredInfo> {
    return this.store.put(key, sourceOf(bytesOf(content)), options);
  }

  /** The object, which must exist. */
  async get(key: ObjectKey, options?: GetOptions): Promise<StoredObject> {
    const found = await this.store.get(key, options);
    assert.ok(found, 'expected the object to exist');
    return found;
  }

  /** What is in the object, which must exist. */
  async read(key: ObjectKey, options?: GetOptions): Promise<Uint8Array> {
    return collect(await this.get(key, options));
  }

  async expectContent(key: ObjectKey, content: Uint8Array | string): Promise<void> {
    assertSame(await this.read(key), bytesOf(content));
  }

  async expectNothing(key: ObjectKey): Promise<void> {
    assert.equal(await this.store.head(key), null);
    assert.equal(await this.store.get(key), null);
    assert.deepEqual(await this.names(), []);
  }

  /** All names in the folder of this case, in the order given. */
  async names(options?: ListOptions): Promise<string[]> {
    const pages = await pagesOf((more) => this.store.list(this.folder, more), options);
    return pages.flatMap(({ entries }) => entries.map(({ name }) => name));
  }

  /** All folders in the folder of this case, in the order given. */
  async folders(options?: ListOptions): Promise<string[]> {
    const pages = await pagesOf((more) => this.store.folders(this.folder, more), options);
    return pages.flatMap(({ entries }) => entries);
  }
}

/** One case, on a trial of its own. */
export type TrialCase = readonly [name: string, run: (trial: Trial) => Promise<void>];

/** Every page of a listing, from the first to the last. */
export async function pagesOf<Entry>(
  list: (options: ListOptions) => Promise<ListPage<Entry>>,
  options: ListOptions = {},
): Promise<ListPage<Entry>[]> {
  const pages = [await list(options)];
  for (let cursor = pages[0]?.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor) {
    assert.ok(pages.length < 1000, 'expected the pages to come to an end');
    pages.push(await list({ ...options, cursor }));
  }
  return pages;
}

export const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

/** Bytes that differ from place to place and from seed to seed. */
export function pattern(size: number, seed = 1): Uint8Array {
  const out = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    // The generator of Numerical Recipes, modulo 2^32.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

export const collect = async ({ bytes }: StoredObject): Promise<Uint8Array> =>
  (await readAtMost(bytes, anySize)) ?? assert.fail('expected no more than 64 MiB');

/** As `deepEqual`, with a message that is not as long as the bytes. */
export function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  assert.equal(at, -1, `expected the same bytes, but byte ${String(at)} differs`);
}

export const expectError = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof KeyboundError, `expected a KeyboundError, got ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });

/** Yields `bytes` in pieces of `size`, and runs `atEnd` before it ends. */
export async function* sourceOf(
  bytes: Uint8Array,
  size = Math.max(bytes.length, 1),
  atEnd?: () => unknown,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  await atEnd?.();
}

/** A source without end that counts its pieces and remembers whether it was given back. */
export class EndlessSource implements AsyncIterable<Uint8Array> {
  pulls = 0;
  returned = 0;
  /** Called before every piece, with the number of those before. */
  readonly #onPull: (before: number) => unknown;

  constructor(onPull: (before: number) => unknown = () => undefined) {
    this.#onPull = onPull;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        await this.#onPull(this.pulls++);
        return { done: false, value: new Uint8Array(100_000) };
      },
      return: () => {
        this.returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** What became of several promises: the values, and the codes of the errors. */
export async function outcomes<T>(
  promises: readonly Promise<T>[],
): Promise<{ readonly won: T[]; readonly codes: string[] }> {
  const settled = await Promise.allSettled(promises);
  return {
    won: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    codes: settled.flatMap((one) =>
      one.status === 'rejected' ? [one.reason instanceof KeyboundError ? one.reason.code : 'foreign'] : [],
    ),
  };
}

export const joined = (pieces: readonly Uint8Array[]): Uint8Array => concat(...pieces);
