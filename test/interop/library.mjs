/*
 * The library's side of the live check of interoperability, on the build: see run.mjs and python.py, whose verbs and
 * claims these are. `add` opens a new generation first, so that both sides see the other's chain grow.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOf, anyOf, initRegistry, KeyboundError, openKeybound, serviceKey } from 'keybound';
import { fileStore } from 'keybound/file';
import { localKeyring } from 'keybound/local';

const counts = { keyrings: 0, bindings: 0, objects: 0, records: 0, refusals: 0 };
const sha512 = (bytes) => createHash('sha512').update(bytes).digest('hex');
const choose = (values) => values[randomInt(values.length)];

const sizes = [0, 1, 100, 16_383, 16_384, 16_385, 32_768, 50_000, 200_001];
const names = [
  (i) => `reports/${i}.csv`,
  (i) => `Verträge/2026 – №${i} 🔑.pdf`,
  (i) => `e\u0301 ${i}`,
  (i) => `${i} .%2e/..`,
  (i) => 'é'.repeat(200) + i,
];
const contexts = [
  () => ({}),
  (i) => ({ version: i }),
  (i) => ({ z: '', '\u{1f600}': i, '\ufffd': 'replacement', é: 'e9' }),
];
const metadatas = [
  {},
  { contentType: 'text/csv' },
  { contentType: 'a/b', fileName: 'ü "q".csv', pairs: { k: '\u2028 \\' } },
];

const keyringOf = (folder, passphrase) => {
  counts.keyrings++;
  return localKeyring(join(folder, 'keyring.age'), { passphrase, workFactor: 12 });
};
const regionsOf = (folder, names) =>
  Object.fromEntries(
    names.map((name) => [name, { store: fileStore(join(folder, `store-${name}`)), keyLocations: ['local'] }]),
  );

function open(folder, { registry, roots, root, passphrase, namespaces }) {
  return openKeybound({
    registry,
    roots: roots.map((publicKey) => ({ publicKey, status: 'active' })),
    signing: root,
    regions: regionsOf(folder, [...new Set([root.region, ...namespaces.map(({ region }) => region)])]),
    keys: [keyringOf(folder, passphrase)],
  });
}

async function refused(attempt) {
  const error = await attempt().then(
    () => new Error('this should have been refused'),
    (failure) => failure,
  );
  assert(error instanceof KeyboundError && error.code === 'integrity-failure', error);
  counts.refusals++;
}

async function addTo(namespace, one, label) {
  for (const [i, size] of sizes.entries()) {
    const of = `${label}-${String(i)}`;
    const name = choose(names)(of);
    const context = choose(contexts)(of);
    const metadata = choose(metadatas);
    const bytes = randomBytes(size);
    await namespace.put(name, bytes, { ...metadata, context });
    const record = await namespace.encryptRecord(name, bytes, { context });
    const item = { name, context: Object.entries(context), sha512: sha512(bytes) };
    one.objects.push({ ...item, metadata });
    one.records.push({ ...item, record: Buffer.from(record).toString('hex') });
  }
}

async function make(folder) {
  mkdirSync(folder);
  const passphrase = randomBytes(16).toString('base64url');
  const keyring = keyringOf(folder, passphrase);
  for (const name of ['service', 'recovery', 'acme', 'backup']) await keyring.createKey(name);
  const regions = regionsOf(folder, ['eu', 'us-east']);
  const keys = [keyring];
  const { config } = await initRegistry({
    region: 'eu',
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  const keybound = openKeybound({ ...config, regions, keys });
  const claims = {
    registry: config.registry,
    roots: config.roots.map(({ publicKey }) => publicKey),
    root: config.signing,
    passphrase,
    namespaces: [],
  };
  const own = allOf('local://acme', serviceKey('local://service'));
  const policies = {
    'one-key': 'local://acme',
    'Any.of': anyOf('local://backup', 'local://acme'),
    all_of: own,
    both: anyOf('local://backup', own),
  };
  for (const [id, key] of Object.entries(policies)) {
    const region = choose(['eu', 'us-east']);
    const namespace = await keybound.create(id, { key, region, owner: 'Acme "Süd" GmbH \\ Ltd' });
    const one = { id, region, objects: [], records: [] };
    await addTo(namespace, one, 'first');
    await namespace.rotate();
    await addTo(namespace, one, 'second');
    await namespace.suspend();
    ({ trust: one.trust } = await namespace.resume());
    claims.namespaces.push(one);
  }
  return claims;
}

async function check(folder, claims) {
  const keybound = open(folder, claims);
  for (const { id, region, trust, objects, records } of claims.namespaces) {
    const namespace = await keybound.open(id, { region, trust });
    assert.equal((await namespace.describe()).trust, trust);
    counts.bindings++;
    for (const { name, context, metadata, sha512: digest } of objects) {
      const object = await namespace.get(name, { context: Object.fromEntries(context) });
      assert.deepEqual({ ...object.metadata }, metadata);
      assert.equal(sha512(await object.bytes()), digest, name);
      counts.objects++;
    }
    for (const { name, context: pairs, record: hex, sha512: digest } of records) {
      const context = Object.fromEntries(pairs);
      const record = new Uint8Array(Buffer.from(hex, 'hex'));
      assert.equal(sha512(await namespace.decryptRecord(name, record, { context })), digest);
      counts.records++;
      await refused(() => namespace.decryptRecord(`${name}x`, record, { context }));
      record[randomInt(8, record.length)] ^= 1;
      await refused(() => namespace.decryptRecord(name, record, { context }));
    }
  }
}

async function add(folder, claims) {
  const keybound = open(folder, claims);
  for (const one of claims.namespaces) {
    const namespace = await keybound.open(one.id, { region: one.region, trust: one.trust });
    const { trust, epoch } = await namespace.rotate();
    one.trust = trust;
    counts.bindings++;
    await addTo(namespace, one, `epoch ${String(epoch)}`);
  }
}

const [verb, folder, claimsFile, newFile] = process.argv.slice(2);
if (verb === 'make') writeFileSync(claimsFile, JSON.stringify(await make(folder)));
else {
  const claims = JSON.parse(readFileSync(claimsFile, 'utf8'));
  if (verb === 'check') await check(folder, claims);
  else {
    await add(folder, claims);
    writeFileSync(newFile, JSON.stringify(claims));
  }
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
