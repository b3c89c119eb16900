/*
 * What is stored, and what is given to read or to name it, is not what it should be: each has its own code, and one line
 * that says what it is about.
 */
import { createReadStream, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteRange, type Context, type ErrorCode } from '../../src/index.js';
import { maxRecordSize } from '../../src/namespace/records.js';
import { type ObjectKey } from '../../src/storage/store.js';
import { expectSame } from '../support/bytes.js';
import { storeBytes } from '../support/stores.js';
import { expectRefusal, type Ground, type Kind, makeGround } from './ground.js';

const bytes = Uint8Array.of(1, 2, 3);
const read = async (ground: Ground, name: string, range?: ByteRange): Promise<Uint8Array> =>
  (await ground.acme.get(name, range === undefined ? {} : { range })).bytes();
const place = async ({ world, acme }: Ground, name: string): Promise<ObjectKey> =>
  world.placeOf(await acme.describe(), name);

/** Something hostile that is done, the code that it meets, and what the message must name. */
type Case = readonly [
  what: string,
  code: ErrorCode,
  about: readonly (string | RegExp)[],
  does: (ground: Ground) => unknown,
];

/** Stores other bytes under a name, made of what `stream` is, and reads that. */
const stored =
  (name: string, make: (sealed: Uint8Array, ground: Ground) => Uint8Array) =>
  async (ground: Ground): Promise<unknown> => {
    const sealed = await (await ground.acme.encryptStream(name, new Uint8Array(40_000))).bytes();
    await storeBytes(ground.world.store, await place(ground, name), make(sealed, ground));
    return read(ground, name);
  };
const acme = 'namespace acme';
const bad = /"bad"/;
const changed = (sealed: Uint8Array, at: number, to: number): Uint8Array =>
  sealed.map((byte, i) => (i === at ? to : byte));

const ciphertexts: readonly Case[] = [
  ['an empty object', 'integrity-failure', [acme, bad], stored('bad', () => new Uint8Array(0))],
  ['a truncated one', 'integrity-failure', [acme, bad], stored('bad', (sealed) => sealed.slice(0, 20_000))],
  ['one cut by a byte', 'integrity-failure', [acme, bad], stored('bad', (sealed) => sealed.slice(0, -1))],
  [
    'an oversized one',
    'integrity-failure',
    [acme, bad],
    stored('bad', (sealed) => new Uint8Array([...sealed, 0])),
  ],
  [
    'an oversized header',
    'integrity-failure',
    [acme, bad],
    stored('bad', (sealed) => changed(sealed, 112, 255)),
  ],
  ['wrong magic', 'not-ciphertext', [acme, bad], stored('bad', (sealed) => changed(sealed, 0, 0x6b))],
  [
    'an unknown form',
    'unsupported-form',
    [acme, bad, /form 9/],
    stored('bad', (sealed) => changed(sealed, 3, 9)),
  ],
  [
    'a direct object',
    'unsupported-form',
    [acme, bad, /form 3/],
    stored('bad', (sealed) => changed(sealed, 3, 3)),
  ],
  ['a record', 'unsupported-form', [acme, bad, /form 1/], stored('bad', (_, { record }) => record)],
  [
    'plaintext',
    'not-ciphertext',
    [acme, bad],
    stored('bad', () => new TextEncoder().encode('canary-plaintext')),
  ],
  ['another object', 'integrity-failure', [acme, bad], stored('bad', (_, { stream }) => stream)],
  [
    'an empty stream',
    'integrity-failure',
    [acme, bad],
    ({ acme }) => acme.decryptStream('bad', new Uint8Array(0)),
  ],
  [
    'a stream of plaintext',
    'not-ciphertext',
    [acme, bad],
    ({ acme }) => acme.decryptStream('bad', new TextEncoder().encode('canary-plaintext')),
  ],
  [
    'a stream that is a record',
    'unsupported-form',
    [acme, bad],
    ({ acme, record }) => acme.decryptStream('bad', record),
  ],
  [
    'a stream of another name',
    'integrity-failure',
    [acme, bad],
    ({ acme, stream }) => acme.decryptStream('bad', stream),
  ],
  [
    'a stream that was cut',
    'integrity-failure',
    [acme, /"stream"/],
    async ({ acme, stream }) => (await acme.decryptStream('stream', stream.slice(0, -1))).bytes(),
  ],
  [
    'an empty record',
    'not-ciphertext',
    [acme, bad],
    ({ acme }) => acme.decryptRecord('bad', new Uint8Array(0)),
  ],
  [
    'a truncated record',
    'integrity-failure',
    [acme, /"record"/],
    ({ acme, record }) => acme.decryptRecord('record', record.slice(0, 30)),
  ],
  [
    'a record of plaintext',
    'not-ciphertext',
    [acme, bad],
    ({ acme }) => acme.decryptRecord('bad', new TextEncoder().encode('canary-plaintext')),
  ],
  [
    'a record that is an object',
    'unsupported-form',
    [acme, bad],
    ({ acme, stream }) => acme.decryptRecord('bad', stream),
  ],
  [
    'an oversized record',
    'integrity-failure',
    [acme, /"record"/],
    ({ acme, record }) => acme.decryptRecord('record', new Uint8Array([...record, 0])),
  ],
  [
    'too much for a record',
    'too-large',
    [acme, /as an object/],
    ({ acme }) => acme.encryptRecord('bad', new Uint8Array(maxRecordSize + 1)),
  ],
];

const names: readonly (readonly [what: string, name: string])[] = [
  ['an empty one', ''],
  ['one of 513 bytes', 'n'.repeat(513)],
  ['129 emoji', '😀'.repeat(129)],
  ['one of a million characters', '\0'.repeat(1_000_000)],
  ['a lone surrogate', 'a\ud800'],
];

const ids: readonly (readonly [what: string, id: string])[] = [
  ['an empty one', ''],
  ['one character', 'a'],
  ['129 characters', 'a'.repeat(129)],
  ['dots', '..'],
  ['a path', '../acme'],
  ['a slash', 'acme/objects'],
  ['NUL', 'acme\0'],
  ['a line end', 'acme\n'],
  ['a line separator', 'acme\u2028'],
  ['a terminal’s orders', '\u001b[2Jacme\u009b\u202e'],
  ['a lone surrogate', 'acme\udc00'],
  ['the registry’s own', '_registry'],
  ['another alphabet', 'аcme'],
  ['ten million characters', 'a'.repeat(10_000_000)],
];

const contexts: readonly (readonly [what: string, context: unknown])[] = [
  [
    'pairs in an array, a key twice',
    [
      ['customer', 'a'],
      ['customer', 'b'],
    ],
  ],
  ['a map', new Map([['customer', 'a']])],
  ['a URL’s parameters, a key twice', new URLSearchParams('customer=a&customer=b')],
  ['two values for a key', { customer: ['a', 'b'] }],
  ['a lone surrogate as a key', { 'customer\ud800': 'a' }],
  ['a lone surrogate as a value', { customer: '\udfff' }],
  ['33 pairs', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`key${String(i)}`, '']))],
  ['more than 8 KiB', { customer: 'x'.repeat(8192) }],
  ['a key that ends lines', { 'customer\n\u2028': 7 }],
  ['a number', { customer: 42 }],
];

const ranges: readonly (readonly [what: string, code: ErrorCode, range: unknown])[] = [
  ['negative', 'invalid-argument', { start: -1 }],
  ['negative at its end', 'invalid-argument', { start: 0, end: -1 }],
  ['a negative suffix', 'invalid-argument', { suffix: -1 }],
  ['minus zero', 'invalid-argument', { start: -0 }],
  ['backwards', 'invalid-argument', { start: 9, end: 3 }],
  ['huge', 'range-not-satisfiable', { start: Number.MAX_SAFE_INTEGER }],
  ['past every number', 'invalid-argument', { start: 2 ** 53 }],
  ['infinite', 'invalid-argument', { start: 0, end: Infinity }],
  ['a fraction', 'invalid-argument', { start: 0.5 }],
  ['a bigint', 'invalid-argument', { start: 1n }],
  ['a header’s words', 'invalid-argument', 'bytes=0-1'],
  ['past the end', 'range-not-satisfiable', { start: 50_017 }],
];

/** What is odd, and no less right: the part of an object of 50,016 bytes that it is. */
const oddRanges: readonly (readonly [what: string, range: ByteRange, length: number])[] = [
  ['empty at the start', { start: 0, end: 0 }, 0],
  ['empty in the middle', { start: 16_384, end: 16_384 }, 0],
  ['empty at the end', { start: 50_016 }, 0],
  ['an empty suffix', { suffix: 0 }, 0],
  ['huge at its end', { start: 50_000, end: Number.MAX_SAFE_INTEGER }, 16],
  ['a huge suffix', { suffix: Number.MAX_SAFE_INTEGER }, 50_016],
];

/** In no way special to keybound, and to every file system. */
const oddNames = [
  '..',
  '.',
  '../../escaped',
  '/etc/passwd',
  '..\\..\\escaped',
  'C:\\escaped',
  'a/../../b',
  'a\0b',
  '\0',
  'trailing.',
  'trailing...',
  'trailing ',
  ' ',
  'con',
  'NUL.txt',
  '~',
  '-rf',
  '@tmp',
  'a@',
  'A',
  'a',
  'é',
  'e\u0301',
  '😀'.repeat(128),
  'n'.repeat(512),
  '\u202egnp.exe',
  '__proto__',
  'constructor',
  '%2e%2e',
  '\u2028',
];

const sources: readonly Case[] = [
  ['a directory', 'source-failed', [acme, bad], ({ acme }) => acme.put('bad', createReadStream(tmpdir()))],
  [
    'a directory, to a stream',
    'source-failed',
    [acme, bad],
    async ({ acme }) => (await acme.encryptStream('bad', createReadStream(tmpdir()))).bytes(),
  ],
  [
    'a directory, as ciphertext',
    'source-failed',
    [acme, bad],
    ({ acme }) => acme.decryptStream('bad', createReadStream(tmpdir())),
  ],
  [
    'no such file',
    'source-failed',
    [acme, bad],
    ({ acme }) => acme.put('bad', createReadStream('/nowhere/at/all')),
  ],
  [
    'text in pieces',
    'source-failed',
    [acme, bad],
    ({ acme }) => acme.put('bad', ['canary-plaintext'] as never),
  ],
  [
    'words instead of bytes',
    'source-failed',
    [acme, bad],
    ({ acme }) => acme.put('bad', Uint16Array.of(1, 2) as never),
  ],
  [
    'a stream that is locked',
    'source-failed',
    [acme, bad],
    ({ acme }) => {
      const stream = new Blob([bytes]).stream();
      stream.getReader();
      return acme.put('bad', stream);
    },
  ],
];

const missing: readonly Case[] = [
  ['an object that is not there', 'object-not-found', [acme, bad], ({ acme }) => acme.get('bad')],
  ['its head', 'object-not-found', [acme, bad], ({ acme }) => acme.head('bad')],
  [
    'one that is, without its context',
    'integrity-failure',
    [acme, /"small"/],
    ({ acme }) => acme.get('small'),
  ],
  [
    'one that exists already',
    'object-exists',
    [acme, /"large"/, /ifAbsent/],
    ({ acme }) => acme.put('large', bytes, { ifAbsent: true }),
  ],
  [
    'another version, to replace',
    'precondition-failed',
    [acme, /"large"/],
    ({ acme }) => acme.put('large', bytes, { ifVersion: 'other' }),
  ],
  [
    'another version, to delete',
    'precondition-failed',
    [acme, /"large"/],
    ({ acme }) => acme.delete('large', { ifVersion: 'other' }),
  ],
  [
    'another version, to read',
    'object-changed',
    [acme, /"large"/],
    ({ acme }) => acme.get('large', { version: 'other' }),
  ],
  [
    'a namespace that is not there',
    'namespace-not-found',
    [/namespace nobody/, /create it/],
    ({ world }) => world.keybound.open('nobody'),
  ],
  [
    'one that exists, to create',
    'namespace-exists',
    [acme, /open it/],
    ({ world }) => world.keybound.create('acme', { key: 'local://acme' }),
  ],
  [
    'a region that is not there',
    'invalid-argument',
    [/"mars"/, /eu/],
    ({ world }) => world.keybound.open('acme', { region: 'mars' }),
  ],
  [
    'a key that is not there',
    'key-not-found',
    [/namespace new/, /local:\/\/none/],
    ({ world }) => world.keybound.create('new', { key: 'local://none' }),
  ],
  [
    'a KMS that is not there',
    'misconfigured',
    [/aws-kms/],
    ({ world }) => world.keybound.create('new', { key: 'aws-kms://arn' }),
  ],
  [
    'a cursor that is none',
    'invalid-argument',
    [/cursor/],
    ({ acme }) => acme.listPage({ cursor: 'canary\n' }),
  ],
  [
    'a stream, a second time',
    'stream-consumed',
    [/again/],
    async ({ acme }) => {
      const object = await acme.get('large');
      await object.bytes();
      return object.bytes();
    },
  ],
];

describe.each<Kind>(['memory', 'files'])('over a store of %s', (kind) => {
  let ground: Ground;
  beforeEach(async () => {
    ground = await makeGround(kind);
  });
  afterEach(async () => {
    await ground.intact();
    ground.close();
  });

  describe('is refused in place of ciphertext:', () => {
    it.each(ciphertexts)('%s', async (_, code, about, does) => {
      const { cause } = await expectRefusal(ground, code, about, () => does(ground));
      expect(cause).toBeUndefined();
    });
  });

  describe('is refused as a source:', () => {
    it.each(sources)('%s', async (_, code, about, does) => {
      await expectRefusal(ground, code, about, () => does(ground));
      await expectRefusal(ground, 'object-not-found', [acme], () => ground.acme.get('bad'));
    });
  });

  it.each(missing)('is told from what is there: %s', async (_, code, about, does) => {
    await expectRefusal(ground, code, about, () => does(ground));
  });

  it.each(ranges)('is refused as a range: %s', async (_, code, range) => {
    const about = code === 'invalid-argument' ? [/range/] : [acme, /"large"/, /50016 bytes/];
    await expectRefusal(ground, code, about, () => read(ground, 'large', range as ByteRange));
  });

  it.each(oddRanges)('gives what it says, for a range that is odd: %s', async (_, range, length) => {
    const all = await read(ground, 'large');
    expect(all).toHaveLength(50_016);
    const from = 'suffix' in range ? all.length - length : range.start;
    expectSame(await read(ground, 'large', range), all.subarray(from, from + length));
  });

  it('keeps objects under the oddest names, each under its own, and nothing outside of the store', async () => {
    for (const [i, name] of oddNames.entries()) await ground.acme.put(name, Uint8Array.of(i));
    for (const [i, name] of oddNames.entries()) expectSame(await read(ground, name), Uint8Array.of(i));
    if (ground.folder !== undefined) expect(readdirSync(ground.folder)).toEqual(['stores']);
    for (const name of oddNames) expect(await ground.acme.delete(name)).toBe(true);
  });

  it('says no to an odd name in one harmless line, if that is what is to be said', async () => {
    for (const name of oddNames) {
      await expectRefusal(ground, 'object-not-found', [acme], () => ground.acme.get(name));
      await storeBytes(ground.world.store, await place(ground, name), new Uint8Array(100));
      await expectRefusal(ground, 'not-ciphertext', [acme], () => ground.acme.get(name));
      await expectRefusal(ground, 'object-exists', [acme], () =>
        ground.acme.put(name, bytes, { ifAbsent: true }),
      );
    }
  });
});

describe('whatever the store', () => {
  let ground: Ground;
  beforeEach(async () => {
    ground = await makeGround('memory');
  });
  afterEach(() => ground.intact());

  it.each(names)('is refused as a name: %s', async (_, name) => {
    const { acme, record, stream } = ground;
    const calls: readonly (() => unknown)[] = [
      () => acme.put(name, bytes),
      () => acme.get(name),
      () => acme.head(name),
      () => acme.delete(name),
      () => acme.encryptRecord(name, bytes),
      () => acme.decryptRecord(name, record),
      () => acme.encryptStream(name, bytes),
      () => acme.decryptStream(name, stream),
    ];
    for (const call of calls) await expectRefusal(ground, 'invalid-argument', [/name/], call);
  });

  it.each(ids)('is refused as the id of a namespace: %s', async (_, id) => {
    const { keybound } = ground.world;
    const calls: readonly (() => unknown)[] = [
      () => keybound.create(id, { key: 'local://acme' }),
      () => keybound.create('new', { key: 'local://acme', parent: id }),
      () => keybound.open(id),
      () => keybound.locate(id),
    ];
    for (const call of calls) await expectRefusal(ground, 'invalid-argument', [/a namespace id/], call);
  });

  it.each(contexts)('is refused as a context: %s', async (_, given) => {
    const context = given as Context;
    const { acme, record, stream } = ground;
    const calls: readonly (() => unknown)[] = [
      () => acme.put('new', bytes, { context }),
      () => acme.get('small', { context }),
      () => acme.head('small', { context }),
      () => acme.encryptRecord('record', bytes, { context }),
      () => acme.decryptRecord('record', record, { context }),
      () => acme.encryptStream('stream', bytes, { context }),
      () => acme.decryptStream('stream', stream, { context }),
    ];
    for (const call of calls) await expectRefusal(ground, 'invalid-argument', [/context/], call);
  });

  it.each(contexts)('is refused as pairs of metadata: %s', async (_, given) => {
    // There is no limit on their number, but on the whole.
    if (Object.keys(given as object).length === 33) return;
    await expectRefusal(ground, 'invalid-argument', [/metadata/], () =>
      ground.acme.put('new', bytes, { pairs: given as Context }),
    );
  });

  it('tells apart contexts that look alike', async () => {
    const { acme } = ground;
    await acme.put('new', bytes, { context: { é: 'a' } });
    for (const context of [
      { 'e\u0301': 'a' },
      { é: 'a', '': '' },
      JSON.parse('{"é":"a","__proto__":"b"}') as Context,
    ]) {
      await expectRefusal(ground, 'integrity-failure', [/"new"/], () => acme.get('new', { context }));
    }
  });
});
