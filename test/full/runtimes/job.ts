/*
 * What a consumer does with the package, on whatever runtime: a registry and a namespace of their own, objects whole and
 * by range, a record, and what must be refused. Then the same data as another runtime left it.
 *
 *   KEYBOUND_JOB='["own folder", "another’s folder", …]' <runtime> job
 *
 * Prints one line of JSON, or fails.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  initRegistry,
  type Keybound,
  KeyboundError,
  openKeybound,
  type ErrorCode,
  type RegistryConfig,
} from 'keybound';
import { fileStore } from 'keybound/file';
import { localKeyring, localKeys, type LocalKeyring } from 'keybound/local';
import { memoryStore } from 'keybound/memory';

const MiB = 1024 * 1024;
const passphrase = 'for this test only';
const name = 'Verträge/big.bin';
const recordName = 'customers/42/iban';
const context = { customer: '42' };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex');

/** What a folder holds beside its store and its keyring. */
interface Left {
  readonly config: RegistryConfig;
  readonly digest: string;
  readonly record: string;
}

const keyringIn = (folder: string): LocalKeyring =>
  localKeyring(join(folder, 'keyring.age'), { passphrase, workFactor: 12 });

const regionsIn = (folder: string) => ({
  eu: { store: fileStore(join(folder, 'store')), keyLocations: ['local'] },
});

/** 1 MiB and a bit, that depends on `seed`. */
const content = (seed: number): Uint8Array =>
  Uint8Array.from({ length: MiB + 12_345 }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff);

/** In pieces of odd lengths. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 3) % 50_021) {
    yield bytes.subarray(at, at + length);
    await Promise.resolve();
  }
}

async function refused(code: ErrorCode, attempt: () => Promise<unknown>): Promise<void> {
  let refusal: unknown;
  try {
    await attempt();
  } catch (error) {
    refusal = error;
  }
  assert(refusal instanceof KeyboundError, `expected ${code}, got ${String(refusal)}`);
  assert.equal(refusal.code, code);
}

async function storedFile(folder: string): Promise<string> {
  const all = await readdir(join(folder, 'store'), { recursive: true });
  const found = all.find((path) => path.endsWith('big.bin@'));
  assert(found !== undefined, 'expected the object’s file');
  return join(folder, 'store', found);
}

async function everyWayToRead(keybound: Keybound, whole: Uint8Array): Promise<void> {
  const acme = await keybound.open('acme');
  const read = () => acme.get(name, { context });
  const object = await read();
  assert.equal(object.metadata.contentType, 'application/octet-stream');
  assert.equal(object.size, whole.length);
  assert.equal(sha512(await object.bytes()), sha512(whole));

  const parts: Uint8Array[] = [];
  for await (const part of (await read()).toNode()) parts.push(part as Uint8Array);
  assert.equal(sha512(Buffer.concat(parts)), sha512(whole));

  const reader = (await read()).toWeb().getReader();
  const digest = createHash('sha512');
  for (let next = await reader.read(); !next.done; next = await reader.read()) digest.update(next.value);
  assert.equal(digest.digest('hex'), sha512(whole));

  const part = await acme.get(name, { context, range: { start: 500_000, end: 600_001 } });
  assert.deepEqual(await part.bytes(), whole.slice(500_000, 600_001));
  const end = await acme.get(name, { context, range: { suffix: 20_000 } });
  assert.deepEqual(await end.bytes(), whole.slice(-20_000));
}

/** The job in a folder that does not exist yet. */
async function ownData(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const keyring = keyringIn(folder);
  for (const key of ['service', 'recovery', 'acme']) await keyring.createKey(key);
  const keys = [keyring];
  const regions = regionsIn(folder);
  const { config } = await initRegistry({
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  const keybound = openKeybound({ ...config, regions, keys });
  const acme = await keybound.create('acme', { key: 'local://acme', owner: 'Acme' });
  await acme.rotate();

  const whole = content(1);
  const { size } = await acme.put(name, pieces(whole), { contentType: 'application/octet-stream', context });
  assert.equal(size, whole.length);
  await acme.put('from a blob', new Blob(['hello']));
  assert.equal(await (await acme.get('from a blob')).text(), 'hello');
  await everyWayToRead(keybound, whole);
  const names: string[] = [];
  for await (const entry of acme.list()) names.push(entry.name);
  assert.deepEqual(names.sort(), [name, 'from a blob'].sort());

  const record = await acme.encryptRecord(recordName, utf8('DE02 1203'), { context });
  assert.deepEqual(await acme.decryptRecord(recordName, record, { context }), utf8('DE02 1203'));
  await refused('integrity-failure', () => acme.decryptRecord(recordName, record));
  await refused('integrity-failure', () => acme.decryptRecord('other', record, { context }));
  await refused('object-not-found', () => acme.get('nothing'));

  const file = await storedFile(folder);
  const stored = await readFile(file);
  for (const at of [200, 500_000, stored.length - 1]) {
    const tampered = Buffer.from(stored);
    tampered.writeUInt8(tampered.readUInt8(at) ^ 1, at);
    await writeFile(file, tampered);
    await refused('integrity-failure', async () => (await acme.get(name, { context })).bytes());
  }
  await writeFile(file, stored);

  await keyring.disableKey('acme');
  keybound.purge();
  await refused('key-revoked', () => acme.get(name, { context }));
  await keyring.enableKey('acme');
  await everyWayToRead(keybound, whole);

  const left: Left = { config, digest: sha512(whole), record: Buffer.from(record).toString('hex') };
  await writeFile(join(folder, 'left.json'), JSON.stringify(left));
}

/** Reads what another runtime left, and leaves something there too. */
async function othersData(folder: string): Promise<void> {
  // Written above.
  const left = JSON.parse(await readFile(join(folder, 'left.json'), 'utf8')) as Left;
  const keybound = openKeybound({ ...left.config, regions: regionsIn(folder), keys: [keyringIn(folder)] });
  await everyWayToRead(keybound, content(1));
  const acme = await keybound.open('acme');
  const record = new Uint8Array(Buffer.from(left.record, 'hex'));
  assert.deepEqual(await acme.decryptRecord(recordName, record, { context }), utf8('DE02 1203'));
  for await (const { name: theirs } of acme.list({ prefix: 'visitor ' })) {
    assert.equal(await (await acme.get(theirs)).text(), theirs);
  }
  const mine = `visitor ${String(process.pid)} ${String(Date.now())}`;
  await acme.put(mine, utf8(mine));
}

/** Keys from the environment, a store in memory. */
async function withoutFiles(): Promise<void> {
  const keys = [localKeys({ service: '01'.repeat(32), recovery: '02'.repeat(32) })];
  const regions = { eu: { store: memoryStore(), keyLocations: ['local'] } };
  const { config } = await initRegistry({
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  const keybound = openKeybound({ ...config, regions, keys });
  const acme = await keybound.create('acme', { key: 'local://service' });
  await acme.put('a', utf8('hello'));
  assert.equal(await (await acme.get('a')).text(), 'hello');
  await acme.suspend();
  await refused('namespace-suspended', () => acme.get('a'));
}

export async function job(folder: string, others: readonly string[] = []): Promise<void> {
  await withoutFiles();
  await ownData(folder);
  for (const other of others) await othersData(other);
}

const folders = process.env['KEYBOUND_JOB'];
if (folders !== undefined) {
  // Given by the test beside this file.
  const [own = '', ...others] = JSON.parse(folders) as string[];
  job(own, others).then(
    () => {
      process.stdout.write(`${JSON.stringify({ done: true, versions: process.versions })}\n`);
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
