/*
 * A day in the life of a registry, with every key that ever existed remembered; then a search for them in everything
 * that the day left behind.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { allOf, anyOf, initRegistry, type KeyProvider, openKeybound, serviceKey } from '../src/index.js';
import { KeyboundError } from '../src/errors.js';
import { localKeyring, localKeys } from '../src/keys/providers/local/index.js';
import { fileStore } from '../src/storage/stores/file/index.js';
import { failureOf } from './support/errors.js';
import { KeyWitness, type Secret } from './support/key-witness.js';
import { findLeaks, type Trace } from './support/leaks.js';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const passphrase = 'correct horse battery staple canary';
const value = text('the plaintext of the canary: DE02 1203 0000 0000 2020 51');
const context = { 'canary-context-key': 'canary-context-value' };

const traces: Trace[] = [];
let witness: KeyWitness;
let folder: string;

const leave = (where: string, words: string): void => void traces.push({ where, bytes: text(words) });

/** All that can be got out of a value by showing it. */
function show(where: string, shown: object): void {
  leave(where, inspect(shown, { depth: 10, showHidden: true, getters: true, maxArrayLength: null }));
  leave(where, JSON.stringify(shown));
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- that is the question
  leave(where, String(shown));
}

/** Runs what must fail, and keeps all of the error. */
async function fails(work: () => unknown): Promise<void> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(KeyboundError);
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    show('an error', one);
    leave('an error', `${one.message}\n${one.stack ?? ''}`);
  }
}

/** Keeps every file of the folder as it is now, and its name. */
async function keepFiles(): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    leave('a file name', path);
    if (entry.isFile()) traces.push({ where: `file ${path}`, bytes: await readFile(path) });
  }
}

function listenToOutput(): void {
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      leave(`console.${method}`, words.map((word) => inspect(word, { depth: 10 })).join(' '));
    });
  }
  process.on('warning', (warning) => {
    show('a warning', warning);
  });
}

/** Everything the library does, going right and going wrong. */
async function day(): Promise<void> {
  const path = join(folder, 'keyring.age');
  const keyring = localKeyring(path, { passphrase, workFactor: 10 });
  for (const name of ['service', 'recovery', 'acme', 'globex', 'spare']) await keyring.createKey(name);
  const keys = [keyring];
  const regions = { eu: { store: fileStore(join(folder, 'store')), keyLocations: ['local'] } };
  const onEvent = (event: object): void => {
    show('an event', event);
  };
  const setUp = { regions, keys, key: 'local://service', recoveryKey: 'local://recovery', onEvent };
  const { config, recovery } = await initRegistry(setUp);
  await writeFile(join(folder, 'keybound.json'), JSON.stringify({ config, recovery }));
  const open = (changes: object = {}): ReturnType<typeof openKeybound> =>
    openKeybound({ ...config, regions, keys, onEvent, ...changes });
  const keybound = open();
  const acme = await keybound.create('acme', { key: 'local://acme', owner: 'Acme' });
  const globex = await keybound.create('globex', {
    key: anyOf(allOf('local://globex', serviceKey('local://service')), 'local://spare'),
    parent: 'acme',
  });
  await keepFiles();

  for (const namespace of [acme, globex]) {
    await namespace.put('name', value, {
      context,
      contentType: 'text/canary-type',
      pairs: { canary: 'canary-pair' },
    });
    await namespace.put('large', Buffer.alloc(100_000, value));
    const object = await namespace.get('large');
    show('an object', object);
    await object.cancel();
    expect(await (await namespace.get('name', { context })).bytes()).toEqual(value);
    expect(await (await namespace.get('large', { range: { suffix: 10 } })).bytes()).toHaveLength(10);
    const record = await namespace.encryptRecord('record', value, { context });
    expect(await namespace.decryptRecord('record', record, { context })).toEqual(value);
    const stream = await namespace.encryptStream('stream', value);
    show('a stream', stream);
    const ciphertext = await stream.bytes();
    traces.push({ where: 'a record', bytes: record }, { where: 'a stream', bytes: ciphertext });
    await (await namespace.decryptStream('stream', ciphertext)).text();

    await fails(() => namespace.decryptRecord('other', record, { context }));
    await fails(() => namespace.decryptRecord('record', record));
    await fails(() => namespace.decryptRecord('record', value));
    await fails(() => namespace.decryptRecord('record', ciphertext));
    await fails(() =>
      namespace.decryptRecord(
        'record',
        record.map((byte, i) => (i === 80 ? byte ^ 1 : byte)),
        { context },
      ),
    );
    await fails(() => namespace.get('name'));
    await fails(() => namespace.get('missing'));
    await fails(() => namespace.get('large', { range: { start: 1e9 } }));
    await fails(async () => (await namespace.decryptStream('stream', ciphertext.slice(0, -1))).bytes());
    await fails(() => namespace.put('name', value, { ifAbsent: true, context }));
    await fails(() => namespace.put('name', value.toString() as never));
    await fails(() => namespace.put('name', value, { key: 'stray' } as never));
    await fails(() => namespace.put('name', value, { signal: AbortSignal.abort() }));
    await fails(() => namespace.put('name', brokenSource()));
    await namespace.rotate();
    await namespace.put('name', value, { context });
    await namespace.suspend();
    await fails(() => namespace.get('name', { context }));
    await namespace.resume();
    show('a description', await namespace.describe());
    show('a namespace', namespace);
  }
  await fails(async () => globex.decryptRecord('record', await acme.encryptRecord('record', value)));
  await fails(() => keybound.create('acme', { key: 'local://acme' }));
  await fails(() => keybound.create('weak', { key: serviceKey('local://service') }));
  await fails(() => keybound.create('other', { key: 'aws-kms://nowhere' }));
  await fails(() => keybound.create('other', { key: 'local://unknown' }));
  await fails(() => keybound.open('missing'));
  await fails(() => open({ signing: undefined }).open('acme', { trust: 'nonsense' }));
  const reader = openKeybound({ registry: config.registry, roots: config.roots, regions, keys, onEvent });
  await fails(async () => (await reader.open('acme')).rotate());
  await keepFiles();

  for (const change of ['disableKey', 'enableKey', 'destroyKey'] as const) {
    await keyring[change]('acme');
    keybound.purge();
    if (change === 'enableKey') await acme.head('name', { context });
    else {
      await fails(() => acme.get('name', { context }));
      await fails(() => acme.encryptRecord('record', value));
      await fails(() => acme.rotate());
    }
    await keepFiles();
  }
  await fails(() => keyring.enableKey('acme'));
  await fails(() => keyring.createKey('acme'));
  await fails(() => localKeyring(path, { passphrase: 'wrong', workFactor: 10 }).listKeys());
  await fails(() => localKeyring(path).listKeys());
  await fails(() => localKeys({ short: 'too short to be a key' }));
  await fails(() => openKeybound({ ...config, regions, keys: [...keys, ...keys] }));
  await fails(async () => {
    const other = localKeys({ globex: witness.secrets[0]?.bytes, spare: witness.secrets[1]?.bytes });
    return (await open({ keys: [other] }).open('globex')).get('name', { context });
  });
  await spoilStore(regions.eu.store.location);
  keybound.purge();
  await fails(() => globex.get('name', { context }));
  await fails(() => open().open('globex'));

  // eslint-disable-next-line no-console -- as a careless service would
  console.log('end of the day', keybound, acme, keyring);
  show('the registry', keybound);
  show('the keyring', keyring);
  show('the configuration', config);
  await keepFiles();
}

async function* brokenSource(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(value);
  throw new Error('disk on fire');
}

/** Damages every binding and wrap. */
async function spoilStore(location: string): Promise<void> {
  expect(location).toBe('file');
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/bindings|wraps/.test(entry.parentPath)) continue;
    const path = join(entry.parentPath, entry.name);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"', "'"));
  }
}

const plain = (): Secret[] => [
  { what: 'the plaintext', bytes: value },
  { what: 'the passphrase', bytes: text(passphrase) },
  ...['canary-context-key', 'canary-context-value', 'canary-pair', 'text/canary-type'].map((words) => ({
    what: words,
    bytes: text(words),
  })),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keybound-canary-'));
  witness = new KeyWitness();
  listenToOutput();
  await day();
}, 60_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

describe('after a day of work', () => {
  it('many keys have existed, and much was left behind', () => {
    expect(witness.kinds).toEqual(new Set(['32 random bytes', 'an HMAC key', 'a derived key', 'an AES key']));
    expect(witness.secrets.length).toBeGreaterThan(150);
    const places = new Set(traces.map(({ where }) => where.split(' ').slice(0, 2).join(' ')));
    for (const place of [
      'an error',
      'an event',
      'a file',
      'console.log',
      'the registry',
      'a namespace',
      'a stream',
    ]) {
      expect(places).toContain(place);
    }
    const words = traces.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('\n');
    for (const code of [
      'integrity-failure',
      'key-revoked',
      'key-destroyed',
      'keyring-invalid',
      'binding-invalid',
    ]) {
      expect(words).toContain(code);
    }
  });

  it('nothing holds a key, the passphrase, plaintext or context', () => {
    expect(findLeaks(traces, [...witness.secrets, ...plain()])).toEqual([]);
  });
});

describe('the search finds a planted key', () => {
  const planted = (bytes: Uint8Array): readonly (readonly [form: string, words: string | Uint8Array])[] => {
    const buffer = Buffer.from(bytes);
    return [
      ['raw, in the middle of a file', Buffer.concat([text('before'), buffer, text('after')])],
      ['in hex', `key=${buffer.toString('hex')};`],
      ['in upper-case hex', buffer.toString('hex').toUpperCase()],
      ['in base64', `{"key":"${buffer.toString('base64')}"}`],
      ['in base64url', buffer.toString('base64url')],
      [
        'in base64 of more, at an odd place',
        Buffer.concat([text('a'), buffer, text('bc')]).toString('base64'),
      ],
      ['cut in half', buffer.toString('hex').slice(0, 32)],
      ['as an inspected Uint8Array', inspect(bytes)],
      ['as an inspected Buffer', inspect(buffer)],
      [
        'as an inspected member of an error',
        inspect(Object.assign(new Error('no'), { details: { key: bytes } })),
      ],
      ['as a Uint8Array in JSON', JSON.stringify({ key: bytes })],
      ['as a Buffer in JSON', JSON.stringify({ key: buffer })],
    ];
  };
  const key = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 101) & 0xff);

  it.each(planted(key))('%s', (_, words) => {
    const bytes = typeof words === 'string' ? text(words) : words;
    expect(findLeaks([{ where: 'planted', bytes }], [{ what: 'a key', bytes: key }])).not.toEqual([]);
  });

  it('that a provider puts into its error, in the course of a call', async () => {
    const inner = localKeys({
      service: text('service-service-service-service-'),
      recovery: text('recovery'.repeat(4)),
    });
    const leaky: KeyProvider = {
      ...inner,
      wrap: (_uri, secret) =>
        Promise.reject(new Error(`cannot wrap ${Buffer.from(secret).toString('base64')}`)),
    };
    const regions = { eu: { store: fileStore(join(folder, 'leaky')), keyLocations: ['local'] } };
    const before = traces.length;
    await fails(() =>
      initRegistry({ regions, keys: [leaky], key: 'local://service', recoveryKey: 'local://recovery' }),
    );
    const leaks = findLeaks(traces.splice(before), witness.secrets);
    expect(leaks).toContain('an error: first half of 32 random bytes, in base64');
  });
});
