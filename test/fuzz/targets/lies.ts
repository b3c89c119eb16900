/*
 * Stores and KMSs that do not do what they promise.
 */
import { KeyboundError, type KeyProvider, type ListPage, type ObjectStore } from '../../../src/index.js';
import { same } from '../../support/bytes.js';
import { Rng } from '../../support/rng.js';
import { Choices } from '../engine/choices.js';
import { type MakeTarget, must } from '../engine/target.js';
import { makeFuzzWorld, objectPlace, text } from './world.js';
import { storeBytes, storedBytes } from '../../support/stores.js';

/** Values that no answer should hold. */
const oddities: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => NaN,
  () => -1,
  () => 0,
  () => Infinity,
  () => 2 ** 53,
  () => 1.5,
  () => '5',
  () => '',
  () => 'x'.repeat(100_000),
  () => ({}),
  () => [],
  () => new Uint8Array(0),
  () => new Uint8Array(100_000),
  () => new Uint16Array(32),
  () => 10n,
  () => Symbol('odd'),
  () => (): string => 'odd',
  () => ({ then: 5, __proto__: { size: 7 } }),
  () => new Date(NaN),
];

/** Seeds of decisions: nothing in particular, and one lie each. */
const seeds = (length = 40): Uint8Array[] => [
  new Uint8Array(0),
  ...Array.from({ length: 24 }, (_, i) => new Rng(i).bytes(length)),
];

/** A promise that is never kept, but for the signal. */
const never = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    });
  });

class Liar {
  readonly choices: Choices;
  /** Once in so many answers. */
  readonly rate: number;

  constructor(choices: Choices) {
    this.choices = choices;
    this.rate = 2 + choices.below(6);
  }

  lies(): boolean {
    return !this.choices.spent && this.choices.oneIn(this.rate);
  }

  odd(): unknown {
    return this.choices.pick(oddities)();
  }

  /** The answer, or one in which a member is something else, or something else altogether. */
  spoil<T>(answer: T): T {
    if (!this.lies()) return answer;
    if (typeof answer !== 'object' || answer === null || this.choices.oneIn(4)) return this.odd() as T;
    const key = this.choices.pick(Object.keys(answer));
    return { ...answer, [key]: this.odd() };
  }
}

/** Pieces of an object, fewer, more, others, or without end. */
async function* spoilt(
  liar: Liar,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { choices } = liar;
  for await (const piece of bytes) {
    if (!liar.lies()) {
      yield piece;
      continue;
    }
    const kind = choices.below(8);
    if (kind === 0) return;
    if (kind === 1) yield liar.odd() as Uint8Array;
    if (kind === 2) yield* [piece, piece];
    if (kind === 3) for (let i = 0; i < 2000; i++) yield new Uint8Array(0);
    if (kind === 4) for (let i = 0; i < 2000; i++) yield piece.subarray(0, 1);
    if (kind === 5) for (let i = 0; i < 100; i++) yield new Uint8Array(70_000);
    if (kind === 6) yield* Array.from(piece, (byte) => Uint8Array.of(byte));
    if (kind === 7) await never(signal);
  }
}

function lyingStore(inner: ObjectStore, liar: Liar): ObjectStore {
  return {
    location: inner.location,
    describe: async (options) => liar.spoil(await inner.describe(options)),
    get: async (key, options) => {
      const found = await inner.get(key, options);
      if (found === null) return liar.spoil(found);
      const { signal } = options ?? {};
      const read = spoilt(liar, found.bytes, signal);
      return liar.spoil({
        ...found,
        bytes: { [Symbol.asyncIterator]: () => read, cancel: () => found.bytes.cancel() },
      });
    },
    head: async (key, options) => liar.spoil(await inner.head(key, options)),
    put: async (key, source, options) => liar.spoil(await inner.put(key, source, options)),
    delete: async (key, options) => liar.spoil(await inner.delete(key, options)),
    list: async (folder, options) => spoilPage(liar, await inner.list(folder, options)),
    folders: async (folder, options) => spoilPage(liar, await inner.folders(folder, options)),
  };
}

function spoilPage<Entry>(liar: Liar, page: ListPage<Entry>): ListPage<Entry> {
  if (!liar.lies()) return liar.spoil(page);
  const kind = liar.choices.below(4);
  if (kind === 0) return { ...page, cursor: 'again' };
  if (kind === 1) return { ...page, entries: [] };
  if (kind === 2) return { ...page, entries: [...page.entries, liar.odd() as Entry] };
  return { ...page, entries: page.entries.map((entry) => liar.spoil(entry)) };
}

const message = new Rng(5).bytes(20_000);

/** So many entries of a list are enough. */
async function first(list: AsyncIterable<unknown>): Promise<void> {
  let count = 0;
  for await (const entry of list) {
    must(entry !== undefined, 'an entry that is none');
    if (++count === 50) return;
  }
}

export const storeLies: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const acme = await world.process().open('acme', { region: 'eu' });
  await acme.put('name', message);
  const record = await acme.encryptRecord('name', message);
  const stored = await storedBytes(world.stores.eu, objectPlace('name'));
  return {
    name: 'store-lies',
    corpus: seeds(),
    maxLength: 400,
    shortRuns: 100,
    run: async (input) => {
      await storeBytes(world.stores.eu, objectPlace('name'), stored);
      const choices = new Choices(input);
      const verb = choices.below(8);
      const liar = new Liar(choices);
      const store = lyingStore(world.stores.eu, liar);
      const regions = { eu: { store, keyLocations: ['local'] } };
      const keybound = world.process({ regions, signing: world.signing });
      const { signal } = limited();
      const true_ = async (bytes: Promise<Uint8Array>): Promise<void> => {
        must(same(await bytes, message), 'something else than what was stored');
      };
      if (verb === 0) {
        await first(keybound.list({ signal }));
        return;
      }
      const namespace = await keybound.open('acme', { signal });
      if (verb === 1) await true_((await namespace.get('name', { signal })).bytes());
      if (verb === 2) {
        const part = await (await namespace.get('name', { range: { start: 5, end: 9 }, signal })).bytes();
        must(same(part, message.subarray(5, 9)), 'something else than what was stored');
      }
      if (verb === 3) await namespace.head('name', { signal });
      if (verb === 4) await first(namespace.list({ signal }));
      if (verb === 5) await namespace.put('name', message, { signal });
      if (verb === 6) await true_(namespace.decryptRecord('name', record, { signal }));
      if (verb === 7)
        await keybound.create(`n${String(choices.below(60_000))}`, { key: 'local://acme', signal });
    },
  };
};

/** Ends what waits for ever: only that counts as the library's own hang which its signal does not end. */
function limited(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(100) };
}

/** What KMSs answer instead of bytes. */
function lyingProvider(inner: KeyProvider, liar: Liar): KeyProvider {
  const answer = async (
    honest: () => Promise<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> => {
    if (!liar.lies()) return honest();
    const bytes = await honest();
    const { choices } = liar;
    const kind = choices.below(9);
    if (kind === 0) return liar.odd() as Uint8Array;
    if (kind === 1) return bytes.subarray(0, choices.below(bytes.length));
    if (kind === 2) return choices.bytes(32);
    if (kind === 3) return new Uint8Array(32);
    if (kind === 4) return new Uint8Array(10_000_000);
    if (kind === 5) return new Uint8Array(6145);
    if (kind === 6) throw liar.odd();
    if (kind === 7)
      throw new KeyboundError(
        choices.pick([
          'key-revoked',
          'unavailable',
          'throttled',
          'access-denied',
          'no-such-code' as 'throttled',
        ]),
        'as the KMS says',
      );
    return never(signal);
  };
  return {
    scheme: inner.scheme,
    parse: (uri) => inner.parse(uri),
    wrap: (uri, secret, context, options) =>
      answer(() => inner.wrap(uri, secret, context, options), options?.signal),
    unwrap: (uri, blob, context, options) =>
      answer(() => inner.unwrap(uri, blob, context, options), options?.signal),
    describe: async (uri, options) => liar.spoil(await inner.describe(uri, options)),
  };
}

export const kmsLies: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const acme = await world.process().open('acme', { region: 'eu' });
  const record = await acme.encryptRecord('name', text('a record'));
  return {
    name: 'kms-lies',
    corpus: seeds(),
    maxLength: 400,
    shortRuns: 100,
    run: async (input) => {
      const choices = new Choices(input);
      const creates = choices.oneIn(3);
      const { signal } = limited();
      const keybound = world.process({
        keys: [lyingProvider(world.provider, new Liar(choices))],
        signing: world.signing,
      });
      if (creates) {
        const id = `n${Buffer.from(input).toString('hex').slice(0, 100)}`;
        const made = await keybound.create(id, {
          key: { allOf: ['local://acme', 'local://backup'] },
          region: 'us',
          signal,
        });
        // Whatever was answered while it was made: what it holds can be read.
        const sealed = await made.encryptRecord('name', message, { signal });
        const again = await world.process().open(id, { region: 'us' });
        must(same(await again.decryptRecord('name', sealed), message), 'a namespace that cannot be read');
        return;
      }
      const namespace = await keybound.open('acme', { region: 'eu', signal });
      must(
        same(await namespace.decryptRecord('name', record, { signal }), text('a record')),
        'a record opened as something else',
      );
    },
  };
};
