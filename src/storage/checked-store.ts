/*
 * A store whose answers are looked at before anybody believes them: what breaks the port's contract is `store-failed`,
 * whatever it would have led to.
 */
import { KeyboundError } from '../errors.js';
import { isBytes } from '../internal/bytes.js';
import { shape, type Shape } from '../internal/shape.js';
import {
  type ListPage,
  type ObjectStore,
  type StoreDescription,
  type StoredBytes,
  type StoredEntry,
  type StoredInfo,
} from './store.js';

/** Longest run of empty pieces: a store that gives nothing but those would never end. */
const maxEmptyPieces = 1000;

/** As {@link StoreDescription.location} says: it is repeated in messages. */
const location = shape.text(
  /^[a-z0-9-]{1,64}(:[a-z0-9-]{1,64})?$/,
  'a location such as file or aws:eu-west-1',
);
const size = shape.integer(0, Number.MAX_SAFE_INTEGER);
/** An answer may have more members than the port names; those are looked at. */
const member = <T>(
  answer: object,
  name: string,
  its: Shape<T>,
  path: string,
  fail: (message: string) => never,
): T => its((answer as Record<string, unknown>)[name], `${path}.${name}`, fail);

const asObject = (answer: unknown, path: string, fail: (message: string) => never): object =>
  typeof answer === 'object' && answer !== null ? answer : fail(`expected ${path} to be an object`);

const bytesShape: Shape<StoredBytes> = (value, path, fail) => {
  const given = value as Partial<StoredBytes> | null | undefined;
  return typeof given?.[Symbol.asyncIterator] === 'function' && typeof given.cancel === 'function'
    ? (given as StoredBytes)
    : fail(`expected ${path} to be bytes to iterate or cancel`);
};

const infoShape: Shape<StoredInfo> = (value, path, fail) => {
  const answer = asObject(value, path, fail);
  return {
    size: member(answer, 'size', size, path, fail),
    version: member(answer, 'version', shape.string, path, fail),
  };
};

const entryShape: Shape<StoredEntry> = (value, path, fail) => ({
  name: member(asObject(value, path, fail), 'name', shape.string, path, fail),
  ...infoShape(value, path, fail),
});

const descriptionShape: Shape<StoreDescription> = (value, path, fail) => {
  const answer = asObject(value, path, fail);
  return {
    location: member(answer, 'location', location, path, fail),
    conditionalCreate: member(answer, 'conditionalCreate', shape.boolean, path, fail),
    conditionalReplace: member(answer, 'conditionalReplace', shape.boolean, path, fail),
  };
};

const pageShape =
  <T>(entry: Shape<T>, asked: string | undefined): Shape<ListPage<T>> =>
  (value, path, fail) => {
    const answer = asObject(value, path, fail) as { entries?: unknown; cursor?: unknown };
    const entries = shape.array(entry, 0, Number.MAX_SAFE_INTEGER)(answer.entries, `${path}.entries`, fail);
    if (answer.cursor === undefined) return { entries };
    const cursor = shape.string(answer.cursor, `${path}.cursor`, fail);
    return cursor === asked ? fail(`expected ${path}.cursor to go on`) : { entries, cursor };
  };

/** `store`, checked. Its own errors pass; what else it throws becomes `store-failed` with that as its cause. */
export function checkedStore(region: string, store: ObjectStore): ObjectStore {
  const fail = (message: string, cause?: unknown): never => {
    throw new KeyboundError('store-failed', `the store of region ${region} broke its contract: ${message}`, {
      details: { region },
      cause,
    });
  };
  const asking = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof KeyboundError) throw error;
      return fail('it failed in a way it does not document', error);
    }
  };
  const nullable = <T>(inner: Shape<T>, answer: unknown, path: string): T | null =>
    answer === null ? null : inner(answer, path, fail);

  async function* checkedPieces(bytes: StoredBytes): AsyncGenerator<Uint8Array> {
    let empty = 0;
    const iterator = bytes[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const next: unknown = await asking(() => iterator.next());
        const { done, value } = asObject(next, 'a step', fail) as { done?: unknown; value?: unknown };
        if (done === true) break;
        if (!isBytes(value)) return fail('expected pieces to be Uint8Arrays');
        empty = value.length === 0 ? empty + 1 : 0;
        if (empty > maxEmptyPieces) return fail('expected pieces with bytes in them');
        yield value;
      }
      ended = true;
    } finally {
      if (!ended) await iterator.return?.();
    }
  }

  return {
    location: store.location,
    describe: async (options) =>
      descriptionShape(await asking(() => store.describe(options)), 'its description', fail),
    get: async (key, options) => {
      const found: unknown = await asking(() => store.get(key, options));
      if (found === null) return null;
      const bytes = member(asObject(found, 'an object', fail), 'bytes', bytesShape, 'an object', fail);
      let info: StoredInfo;
      try {
        info = infoShape(found, 'an object', fail);
      } catch (error) {
        await bytes.cancel();
        throw error;
      }
      return {
        ...info,
        bytes: { [Symbol.asyncIterator]: () => checkedPieces(bytes), cancel: () => bytes.cancel() },
      };
    },
    head: async (key, options) =>
      nullable(infoShape, await asking(() => store.head(key, options)), 'an object'),
    // What the source throws passes through unchanged, so it cannot be told from what the store throws.
    put: async (key, source, options) => infoShape(await store.put(key, source, options), 'an object', fail),
    delete: async (key, options) =>
      shape.boolean(await asking(() => store.delete(key, options)), 'what delete gives', fail),
    list: async (folder, options) =>
      pageShape(entryShape, options?.cursor)(await asking(() => store.list(folder, options)), 'a page', fail),
    folders: async (folder, options) =>
      pageShape(shape.string, options?.cursor)(
        await asking(() => store.folders(folder, options)),
        'a page',
        fail,
      ),
  };
}
