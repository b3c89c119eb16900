import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type ByteRange,
  type Keybound,
  type KeyboundEvent,
  type Namespace,
  type ObjectEntry,
} from '../../src/index.js';
import { parseObjectHeader } from '../../src/format/object-header.js';
import { type ObjectKey } from '../../src/storage/store.js';
import { expectSame, join, same } from '../support/bytes.js';
import { refusal } from '../support/errors.js';
import { hangingGenerator } from '../support/held-sources.js';
import { Rng } from '../support/rng.js';
import { failingPuts, storeBytes, storedBytes, type WatchedStore, watchedStore } from '../support/stores.js';
import { anyText } from '../support/text.js';
import { makeWorld, type World } from '../support/world.js';

const chunk = 16_384;
const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk - 1, 3 * chunk, 3 * chunk + 1, 1024 * 1024 + 7];
const messageOf = (size: number): Uint8Array => new Rng(size).bytes(size);

let world: World;
let store: WatchedStore;
let keybound: Keybound;
let acme: Namespace;
let events: KeyboundEvent[];

beforeEach(async () => {
  store = watchedStore();
  world = await makeWorld({ store: () => store });
  ({ keybound, events } = world);
  acme = await keybound.create('acme', { key: 'local://acme' });
});

const read = async (name: string, range?: ByteRange): Promise<Uint8Array> =>
  (await acme.get(name, range === undefined ? {} : { range })).bytes();
const placeOf = async (name: string): Promise<ObjectKey> => world.placeOf(await acme.describe(), name);
const stored = async (name: string): Promise<Uint8Array> => storedBytes(store, await placeOf(name));
const replace = async (name: string, bytes: Uint8Array): Promise<void> =>
  storeBytes(store, await placeOf(name), bytes);
const failedChecks = (): string[] =>
  events.flatMap((event) => (event.type === 'integrity-failure' ? [event.check] : []));

describe('an object', () => {
  it.each(sizes)('of %i bytes comes back as it was', async (size) => {
    const message = messageOf(size);
    const put = await acme.put('name', message);
    expect(put).toMatchObject({ name: 'name', size, storedSize: (await stored('name')).length });
    const object = await acme.get('name');
    expect(object).toMatchObject({ name: 'name', size, version: put.version, metadata: {} });
    expectSame(await object.bytes(), message);
    expect(await acme.head('name')).toEqual({
      name: 'name',
      version: put.version,
      unauthenticatedSize: size,
    });
  });

  it('comes back whatever its size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(70_000), async (size) => {
        const message = messageOf(size);
        await acme.put('name', message);
        expectSame(await read('name'), message);
      }),
      { numRuns: 50 },
    );
  });

  it('is other bytes each time it is put, and holds none of the plaintext', async () => {
    const message = new TextEncoder().encode('the very same words, many times. '.repeat(1000));
    await acme.put('a', message);
    const first = await stored('a');
    await acme.put('a', message);
    expect(same(first, await stored('a'))).toBe(false);
    expect(Buffer.from(first).includes('very same')).toBe(false);
  });

  it('carries its metadata', async () => {
    const metadata = { contentType: 'text/plain', fileName: 'é.txt', pairs: { of: 'mine', __proto__x: '' } };
    const { version } = await acme.put('name', messageOf(10), metadata);
    expect((await acme.get('name')).metadata).toEqual(metadata);
    expect((await acme.get('name', { range: { suffix: 1 } })).metadata).toEqual(metadata);
    expect(await acme.head('name')).toEqual({ name: 'name', version, unauthenticatedSize: 10, ...metadata });
    expect(Buffer.from(await stored('name')).includes('text/plain')).toBe(false);
  });

  it('carries any metadata of up to 4 KiB, and no more', async () => {
    const overhead = JSON.stringify({ pairs: { a: '' } }).length;
    await acme.put('name', messageOf(1), { pairs: { a: 'x'.repeat(4096 - overhead) } });
    expect((await acme.head('name')).pairs?.['a']).toHaveLength(4096 - overhead);
    await refusal('invalid-argument', () =>
      acme.put('name', messageOf(1), { pairs: { a: 'x'.repeat(4097 - overhead) } }),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(anyText(10), anyText(20), { maxKeys: 5 }), async (pairs) => {
        await acme.put('name', messageOf(1), { pairs });
        expect((await acme.head('name')).pairs).toEqual({ ...pairs });
      }),
      { numRuns: 50 },
    );
  });

  it('opens under its own context only', async () => {
    const context = { tenant: 'a', version: '7' };
    await acme.put('name', messageOf(10), { context });
    expectSame(
      await (await acme.get('name', { context: { version: '7', tenant: 'a' } })).bytes(),
      messageOf(10),
    );
    const others = [undefined, {}, { tenant: 'a' }, { ...context, more: '' }, { tenant: '7', version: 'a' }];
    for (const other of others) {
      const options = other === undefined ? {} : { context: other };
      for (const attempt of [
        () => acme.get('name', options),
        () => acme.get('name', { ...options, range: { start: 1 } }),
        () => acme.head('name', options),
      ]) {
        const { cause } = await refusal('integrity-failure', attempt);
        expect(cause).toBeUndefined();
      }
    }
    expect(new Set(failedChecks())).toEqual(new Set(['commitment']));
  });

  it('is found under any name, and under that name only', async () => {
    const names = [
      '..',
      '.',
      '../x',
      'a/../b',
      '/',
      'a\\b',
      '\0',
      'é',
      'e\u0301',
      '😀',
      '\ufeff',
      ' ',
      '%2e',
      'a'.repeat(512),
    ];
    for (const [i, name] of names.entries()) await acme.put(name, Uint8Array.of(i));
    for (const [i, name] of names.entries()) expect(await read(name)).toEqual(Uint8Array.of(i));
    const listed: ObjectEntry[] = [];
    for await (const entry of acme.list()) listed.push(entry);
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(names));
    for (const name of names) {
      expect(await acme.delete(name)).toBe(true);
      await refusal('object-not-found', () => acme.get(name));
    }
  });

  it.each([
    ['an empty name', ''],
    ['a name of 513 bytes', 'é'.repeat(256) + 'a'],
    ['a lone surrogate', '\ud800'],
    ['a number', 7],
  ])('is refused under %s', async (_, name) => {
    const given = name as string;
    await refusal('invalid-argument', () => acme.put(given, messageOf(1)));
    await refusal('invalid-argument', () => acme.get(given));
    await refusal('invalid-argument', () => acme.head(given));
    await refusal('invalid-argument', () => acme.delete(given));
    await refusal('invalid-argument', () => acme.encryptStream(given, messageOf(1)));
    await refusal('invalid-argument', () => acme.decryptStream(given, messageOf(1)));
  });

  it('of a namespace is not that of another', async () => {
    const globex = await keybound.create('globex', { key: 'local://globex' });
    await acme.put('name', messageOf(1));
    await refusal('object-not-found', () => globex.get('name'));
    await storeBytes(store, world.placeOf(await globex.describe(), 'name'), await stored('name'));
    await refusal('integrity-failure', () => globex.get('name'));
  });

  it('is not another one renamed in the store', async () => {
    await acme.put('a', messageOf(1));
    await replace('b', await stored('a'));
    await refusal('integrity-failure', () => acme.get('b'));
    await refusal('integrity-failure', () => acme.head('b'));
  });

  it('opens elsewhere as a stream, and the other way round', async () => {
    const message = messageOf(50_000);
    await acme.put('name', message, { contentType: 'a/b', context: { a: 'b' } });
    const object = await acme.decryptStream('name', await stored('name'), { context: { a: 'b' } });
    expect(object).toMatchObject({ name: 'name', metadata: { contentType: 'a/b' }, size: undefined });
    expectSame(await object.bytes(), message);
    await replace('other', await (await acme.encryptStream('other', message, { fileName: 'x' })).bytes());
    expect((await acme.head('other')).fileName).toBe('x');
    expectSame(await read('other'), message);
  });
});

describe('a range', () => {
  const size = 3 * chunk + 100;
  const message = messageOf(size);
  const edge = fc.oneof(
    fc.nat(size + 10),
    fc.constantFrom(...[0, 1, 2, 3].flatMap((k) => [k * chunk, k * chunk + 1])),
  );

  beforeEach(async () => {
    await acme.put('name', message);
  });

  it('gives what subarray gives', async () => {
    await fc.assert(
      fc.asyncProperty(edge, fc.option(edge, { nil: undefined }), async (a, b) => {
        const [start, end] = b === undefined ? [Math.min(a, size)] : [Math.min(a, b, size), Math.max(a, b)];
        const object = await acme.get('name', { range: end === undefined ? { start } : { start, end } });
        expect(object.size).toBe(size);
        expectSame(await object.bytes(), message.subarray(start, end));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the last bytes', async () => {
    for (const suffix of [0, 1, 99, 100, 101, chunk, size - 1, size, size + 1, Number.MAX_SAFE_INTEGER]) {
      expectSame(await read('name', { suffix }), message.subarray(Math.max(0, size - suffix)));
    }
  });

  it.each(sizes)('gives every part of an object of %i bytes', async (length) => {
    const all = messageOf(length);
    await acme.put('name', all);
    for (const start of [0, 1, chunk, length - 1, length].filter((at) => at >= 0 && at <= length)) {
      for (const end of [start, start + 1, start + chunk, length, undefined]) {
        if (end !== undefined && end < start) continue;
        const range = end === undefined ? { start } : { start, end };
        expectSame(await read('name', range), all.subarray(start, end));
      }
    }
    expectSame(await read('name', { suffix: 5 }), all.subarray(Math.max(0, length - 5)));
    await refusal('range-not-satisfiable', () => read('name', { start: length + 1 }));
  });

  it('that starts past the end is refused, with the size', async () => {
    for (const start of [size + 1, Number.MAX_SAFE_INTEGER]) {
      const { details } = await refusal('range-not-satisfiable', () => read('name', { start }));
      expect(details['size']).toBe(size);
    }
    expect(store.unreleased).toBe(0);
  });

  it.each([
    { start: -1 },
    { start: 1.5 },
    { start: NaN },
    { start: Infinity },
    { start: '1' },
    { start: 5, end: 4 },
    { start: 0, end: -1 },
    { end: 4 },
    { suffix: -1 },
    { suffix: 1, start: 1 },
    { start: 0, length: 4 },
    {},
    null,
    'bytes=0-1',
    [0, 1],
  ])('that is none is refused: %j', async (range) => {
    await refusal('invalid-argument', () => acme.get('name', { range: range as ByteRange }));
  });

  it('reads only the head and the chunks that hold it', async () => {
    await acme.put('name', messageOf(1024 * 1024));
    await fc.assert(
      fc.asyncProperty(fc.nat(1024 * 1024), fc.nat(40_000), async (start, length) => {
        store.gets.length = 0;
        await read('name', { start, end: start + length });
        expect(store.gets).toHaveLength(2);
        const asked = store.gets.map(({ range }) =>
          range === undefined ? Infinity : range.end - range.start,
        );
        const chunks = Math.floor((start + Math.max(length, 1) - 1) / chunk) - Math.floor(start / chunk) + 1;
        // A range that reaches the end takes the final chunk with it.
        expect(asked[1]).toBeLessThanOrEqual((chunks + 1) * (chunk + 16));
        expect(asked[0]).toBeLessThan(4500);
      }),
      { numRuns: 50 },
    );
    expect(store.unreleased).toBe(0);
  });

  it('of exactly one chunk reads exactly that chunk', async () => {
    store.gets.length = 0;
    await read('name', { start: chunk, end: 2 * chunk });
    const { range } = store.gets[1] ?? {};
    expect(range && range.end - range.start).toBe(chunk + 16);
  });

  it('of a body whose commitment was altered fails and releases what it read', async () => {
    const bytes = await stored('name');
    const start = parseObjectHeader(bytes)?.length ?? 0;
    bytes[start + 30] = (bytes[start + 30] ?? 0) ^ 1;
    await replace('name', bytes);
    await refusal('integrity-failure', () => read('name', { start: 1 }));
    await refusal('integrity-failure', () => read('name'));
    expect(store.unreleased).toBe(0);
  });
});

describe('an object that was cut in the store', () => {
  const message = messageOf(3 * chunk + 100);
  let whole: Uint8Array;
  let bodyStart: number;

  beforeEach(async () => {
    await acme.put('name', message);
    whole = await stored('name');
    bodyStart = (parseObjectHeader(whole)?.length ?? 0) + 56;
  });

  it.each([1, 2, 3])('after %i whole chunks fails in every way', async (chunks) => {
    await replace('name', whole.slice(0, bodyStart + chunks * (chunk + 16)));
    for (const range of [undefined, { suffix: 1 }, { suffix: 0 }, { start: 0 }, { start: 0, end: 10 }]) {
      await refusal('integrity-failure', () => read('name', range));
    }
    await refusal('integrity-failure', () => acme.head('name'));
  });

  it('within a chunk fails as a whole and by suffix, and gives true bytes of the middle', async () => {
    await replace('name', whole.slice(0, bodyStart + 2 * (chunk + 16) + 5000));
    await refusal('integrity-failure', () => read('name'));
    await refusal('integrity-failure', () => read('name', { suffix: 1 }));
    await refusal('integrity-failure', () => read('name', { start: 2 * chunk }));
    await refusal('integrity-failure', () => read('name', { start: 3 * chunk + 99 }));
    await refusal('integrity-failure', () => read('name', { start: 10 ** 9 }));
    expectSame(await read('name', { start: 5, end: chunk }), message.subarray(5, chunk));
  });

  it('gives out no byte beyond those that authenticate, then an error', async () => {
    await replace('name', whole.slice(0, whole.length - 1));
    const released: Uint8Array[] = [];
    await refusal('integrity-failure', async () => {
      for await (const piece of await acme.get('name')) released.push(piece);
    });
    expectSame(join(released), message.subarray(0, 3 * chunk));
    expect(failedChecks()).toEqual(['chunk 3']);
  });

  it('anywhere in its head fails', async () => {
    for (const length of [0, 1, 3, 4, 7, 8, 100, bodyStart - 57, bodyStart - 1, bodyStart, bodyStart + 15]) {
      await replace('name', whole.slice(0, length));
      await refusal('integrity-failure', () => read('name'));
      await refusal('integrity-failure', () => read('name', { start: 0 }));
      await refusal('integrity-failure', () => acme.head('name'));
    }
    expect(store.unreleased).toBe(0);
  });
});

describe('an object that changes while it is read', () => {
  const [before, after] = [messageOf(200_000), new Rng(9).bytes(200_000)];
  const changes: readonly (readonly [what: string, change: () => Promise<unknown>])[] = [
    ['overwritten', () => acme.put('name', after)],
    ['deleted', () => acme.delete('name')],
    ['deleted and put again', async () => [await acme.delete('name'), await acme.put('name', before)]],
  ];

  beforeEach(async () => {
    await acme.put('name', before);
  });

  it.each(changes)('%s between the two reads of a range: object-changed', async (_, change) => {
    store.beforeGet(1, change);
    const error = await refusal('object-changed', () => read('name', { start: 20_000, end: 50_000 }));
    expect(error.retryable).toBe(true);
    expect(error.details).toMatchObject({ namespace: 'acme', name: 'name' });
  });

  it.each(changes)('%s during a streamed get: the one version, or an error', async (_, change) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of await acme.get('name')) {
      if (pieces.length === 0) await change();
      pieces.push(piece);
    }
    expectSame(join(pieces), before);
  });

  it.each(changes)('%s before a get that names the version: object-changed', async (_, change) => {
    const { version } = await acme.head('name');
    await change();
    await refusal('object-changed', () => acme.get('name', { version }));
    await refusal('object-changed', () => acme.get('name', { version, range: { start: 1 } }));
  });
});

describe('conditions', () => {
  it('ifAbsent creates, and never replaces', async () => {
    await acme.put('name', messageOf(1), { ifAbsent: true });
    const error = await refusal('object-exists', () => acme.put('name', messageOf(2), { ifAbsent: true }));
    expect(error.details).toMatchObject({ namespace: 'acme', name: 'name' });
    expectSame(await read('name'), messageOf(1));
    await acme.delete('name');
    await acme.put('name', messageOf(3), { ifAbsent: true });
  });

  it('ifAbsent lets one of many writers win', async () => {
    const puts = Array.from({ length: 10 }, (_, i) => acme.put('name', Uint8Array.of(i), { ifAbsent: true }));
    const won = (await Promise.allSettled(puts)).flatMap(({ status }, i) =>
      status === 'fulfilled' ? [i] : [],
    );
    expect(won).toHaveLength(1);
    expect([...(await read('name'))]).toEqual(won);
  });

  it('ifVersion replaces and deletes that version only', async () => {
    const { version: first } = await acme.put('name', messageOf(1));
    const { version: second } = await acme.put('name', messageOf(2), { ifVersion: first });
    await refusal('precondition-failed', () => acme.put('name', messageOf(3), { ifVersion: first }));
    await refusal('precondition-failed', () => acme.delete('name', { ifVersion: first }));
    await refusal('precondition-failed', () => acme.put('other', messageOf(3), { ifVersion: second }));
    expectSame(await read('name'), messageOf(2));
    expect(await acme.delete('name', { ifVersion: second })).toBe(true);
    expect(await acme.delete('name', { ifVersion: second })).toBe(false);
  });

  it('both at once are refused', async () => {
    const both = { ifAbsent: true, ifVersion: '1' };
    await refusal('invalid-argument', () => acme.put('name', messageOf(1), both));
  });
});

describe('a condition that is none', () => {
  it.each([{ ifAbsent: 'yes' }, { ifAbsent: 1 }, { ifAbsent: null }, { ifVersion: 7 }, { ifVersion: null }])(
    'is refused, not ignored: %j',
    async (options) => {
      await acme.put('name', messageOf(1));
      await refusal('invalid-argument', () => acme.put('name', messageOf(2), options as object));
      if ('ifVersion' in options)
        await refusal('invalid-argument', () => acme.delete('name', options as object));
      expectSame(await read('name'), messageOf(1));
    },
  );
});

describe('a listing', () => {
  const names = Array.from({ length: 25 }, (_, i) => `${i % 2 === 0 ? 'even' : 'odd'}/${String(i)}`);
  const listed = async (options: Parameters<Namespace['list']>[0]): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of acme.list(options)) found.push(name);
    return found.sort();
  };

  beforeEach(async () => {
    for (const name of names) await acme.put(name, messageOf(10));
  });

  it('gives every name, or those with a prefix', async () => {
    expect(await listed({})).toEqual([...names].sort());
    expect(await listed({ prefix: 'odd/' })).toEqual(names.filter((name) => name.startsWith('odd/')).sort());
    expect(await listed({ prefix: 'none' })).toEqual([]);
  });

  it('comes in pages', async () => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await acme.listPage({
        limit: 4,
        prefix: 'even/',
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.entries.length).toBeLessThanOrEqual(4);
      found.push(...page.entries.map(({ name }) => name));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found.sort()).toEqual(names.filter((name) => name.startsWith('even/')).sort());
  });

  it('tells what is stored under each name', async () => {
    const { version, storedSize } = await acme.put('odd/1', messageOf(100));
    const { entries } = await acme.listPage({ prefix: 'odd/1' });
    expect(entries.find(({ name }) => name === 'odd/1')).toEqual({
      name: 'odd/1',
      version,
      unauthenticatedStoredSize: storedSize,
    });
  });

  it('needs no key, nor does deleting', async () => {
    world.keys.turn('local://acme', 'key-revoked');
    keybound.purge();
    const { calls } = world.keys;
    expect(await listed({})).toHaveLength(25);
    expect(await acme.delete('odd/1')).toBe(true);
    expect(world.keys.calls).toBe(calls);
  });

  it.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { cursor: 'nonsense!' }, { prefix: 7 }])(
    'is refused with %j',
    async (options) => {
      await refusal('invalid-argument', () => acme.listPage(options as object));
    },
  );
});

describe('an unknown option', () => {
  const stray = { ifNoneMatch: '*' } as object;
  it.each<[string, () => unknown]>([
    ['put', () => acme.put('name', messageOf(1), stray)],
    ['get', () => acme.get('name', stray)],
    ['head', () => acme.head('name', stray)],
    ['delete', () => acme.delete('name', stray)],
    ['list', () => acme.list(stray).next()],
    ['listPage', () => acme.listPage(stray)],
    ['encryptRecord', () => acme.encryptRecord('name', messageOf(1), stray)],
    ['decryptRecord', () => acme.decryptRecord('name', messageOf(1), stray)],
    ['encryptStream', () => acme.encryptStream('name', messageOf(1), stray)],
    ['decryptStream', () => acme.decryptStream('name', messageOf(1), stray)],
    ['describe', () => acme.describe(stray)],
    ['suspend', () => acme.suspend(stray)],
    ['resume', () => acme.resume(stray)],
    ['rotate', () => acme.rotate(stray)],
    ['open', () => keybound.open('acme', stray)],
    ['create', () => keybound.create('new', { key: 'local://acme', ...stray })],
    ['locate', () => keybound.locate('acme', stray)],
    ['Keybound.list', () => keybound.list(stray).next()],
  ])('is refused by %s', async (_, call) => {
    const { message } = await refusal('invalid-argument', call);
    expect(message).toContain('"ifNoneMatch"');
  });

  it.each([
    { contentType: 7 },
    { pairs: { a: 1 } },
    { context: { a: 1 } },
    { context: 'a' },
    { pairs: null },
  ])('or one of another type is refused by put: %j', async (options) => {
    await refusal('invalid-argument', () => acme.put('name', messageOf(1), options as object));
    await refusal('object-not-found', () => acme.get('name'));
  });
});

describe('a rotation during a put', () => {
  const message = messageOf(100_000);
  /** As another process would, so that this one does not know yet. */
  const elsewhere = async (change: 'rotate' | 'suspend'): Promise<void> => {
    await (await world.another().open('acme'))[change]();
    keybound.purge();
  };

  it.each([
    ['bytes', () => message],
    ['a Blob', () => new Blob([new Uint8Array(message)])],
  ])('is not noticed by one of %s, which starts over', async (_, source) => {
    store.duringPut(() => elsewhere('rotate'));
    const { size } = await acme.put('name', source());
    expect(size).toBe(message.length);
    expect(parseObjectHeader(await stored('name'))?.generation).toBe(2);
    expectSame(await read('name'), message);
  });

  it('makes one of a one-shot source fail, retryably, and stores nothing', async () => {
    const oneShot = async function* (): AsyncGenerator<Uint8Array> {
      yield message;
      await elsewhere('rotate');
      yield message;
    };
    const error = await refusal('namespace-changed', () => acme.put('name', oneShot()));
    expect(error.retryable).toBe(true);
    await refusal('object-not-found', () => acme.get('name'));
    await acme.put('name', message);
    expectSame(await read('name'), message);
  });

  it('makes an encrypted stream end with an error, not complete', async () => {
    const stream = await acme.encryptStream('name', message);
    await elsewhere('rotate');
    await refusal('namespace-changed', () => stream.bytes());
  });

  it('at every attempt ends in namespace-changed', async () => {
    const again = async (): Promise<void> => {
      store.duringPut(again);
      await elsewhere('rotate');
    };
    store.duringPut(again);
    await refusal('namespace-changed', () => acme.put('name', message));
    await refusal('object-not-found', () => acme.get('name'));
  });

  it('that is a suspension stops it, and stores nothing', async () => {
    const { version } = await acme.put('old', message);
    store.duringPut(() => elsewhere('suspend'));
    await refusal('namespace-suspended', () => acme.put('name', message));
    await refusal('namespace-suspended', () => acme.put('old', message));
    await acme.resume();
    await refusal('object-not-found', () => acme.get('name'));
    expect((await acme.head('old')).version).toBe(version);
  });

  it('leaves what was stored before readable', async () => {
    await acme.put('old', message);
    await acme.rotate();
    await acme.put('new', message);
    for (const name of ['old', 'new']) expectSame(await read(name), message);
    const generations = await Promise.all(['old', 'new'].map(stored));
    expect(generations.map((bytes) => parseObjectHeader(bytes)?.generation)).toEqual([1, 2]);
  });
});

it('reports a store that fails at once, though the source still hangs', async () => {
  const error = new Error('connection reset');
  const regions = { eu: { store: failingPuts(store, error), keyLocations: ['local'] } };
  const failing = await world.another({ regions }).open('acme');
  await expect(failing.put('name', hangingGenerator().source)).rejects.toBe(error);
});
