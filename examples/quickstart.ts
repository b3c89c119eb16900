/*
 * The whole idea on one machine, with real files and no cloud: `npm run quickstart`.
 *
 * Two tenants, each bound to a key of its own in a local keyring that stands in for their owners' KMS. This project's
 * own files and a 64 MiB one are encrypted into a folder, read back whole and by range, and refused whenever something is
 * not what was stored, or its owner says no.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { initRegistry, KeyboundError, openKeybound } from 'keybound';
import { fileStore } from 'keybound/file';
import { localKeyring } from 'keybound/local';

const project = join(__dirname, '..');
const work = join(project, '.quickstart');
const MiB = 1024 * 1024;

let step = 0;
const say = (title: string): void => {
  console.log(`\n${String(++step)}. ${title}`);
};
const tell = (text: string): void => {
  console.log(`   ${text}`);
};
const since = (start: number): string => `${((performance.now() - start) / 1000).toFixed(2)} s`;
const size = (bytes: number): string =>
  bytes < MiB ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MiB).toFixed(1)} MiB`;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').replace(/(..)/g, '$1 ').trim();

/** Every file below a folder, this run's own and installed packages left out. */
async function files(folder: string): Promise<string[]> {
  const skipped = ['node_modules', 'dist', '.git', '.quickstart', 'coverage'];
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries
    .filter((entry) => !skipped.includes(entry.name))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return files(path);
      return entry.isFile() ? [path] : [];
    });
  return (await Promise.all(nested)).flat();
}

/** Runs what must be refused, and shows how. */
async function refused(what: string, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof KeyboundError)) throw error;
    tell(`${what.padEnd(34)} refused: ${error.code}`);
    tell(`   ${error.message}`);
    return;
  }
  throw new Error(`${what}: this should have been refused`);
}

async function main(): Promise<void> {
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });

  say('A keyring, which stands in for the KMSs of two customers and of the service itself');
  let start = performance.now();
  // A real passphrase comes from a prompt or the environment. This one is forgotten when the run ends.
  const passphrase = randomBytes(24).toString('base64url');
  const keyring = localKeyring(join(work, 'keyring.age'), { passphrase, workFactor: 14 });
  for (const name of ['service', 'recovery', 'acme', 'globex']) await keyring.createKey(name);
  tell(`keyring.age: four keys, encrypted under a passphrase, in ${since(start)}`);

  say('A registry with one region, whose store is a folder');
  const regions = { eu: { store: fileStore(join(work, 'store-eu')), keyLocations: ['local'] } };
  const keys = [keyring];
  const { config, recovery } = await initRegistry({
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  await writeFile(join(work, 'keybound.json'), JSON.stringify(config, null, 2));
  await writeFile(join(work, 'recovery-root.json'), JSON.stringify(recovery, null, 2));
  tell(`registry ${config.registry}`);
  tell('keybound.json holds its root public keys; recovery-root.json is what one would keep offline');

  say('Two namespaces, each bound to its owner’s key');
  const keybound = openKeybound({ ...config, regions, keys });
  const acme = await keybound.create('acme', { key: 'local://acme', owner: 'Acme' });
  const globex = await keybound.create('globex', { key: 'local://globex', owner: 'Globex' });
  for (const namespace of [acme, globex]) {
    const { id, policy, epoch, trust } = await namespace.describe();
    tell(`${id}: key ${policy[0]?.[0]?.uri ?? ''}, epoch ${String(epoch)}, trust ${trust.slice(0, 24)}…`);
  }

  say('This project’s own files, encrypted into acme');
  start = performance.now();
  const paths = await files(project);
  let plain = 0;
  let stored = 0;
  for (const path of paths) {
    const result = await acme.put(relative(project, path), createReadStream(path), {
      fileName: relative(project, path),
    });
    plain += result.size;
    stored += result.storedSize;
  }
  tell(`${String(paths.length)} files, ${size(plain)} became ${size(stored)}, in ${since(start)}`);
  for (const path of paths) {
    const object = await acme.get(relative(project, path));
    if (!(await readFile(path)).equals(await object.bytes())) throw new Error(`${path} came back changed`);
  }
  tell('read back: all identical');

  say('A 64 MiB file, streamed');
  const big = join(work, 'big.bin');
  await writeFile(big, randomBytes(64 * MiB));
  start = performance.now();
  await acme.put('big.bin', createReadStream(big), { contentType: 'application/octet-stream' });
  tell(`encrypted and stored in ${since(start)}`);
  start = performance.now();
  const copy = join(work, 'big.copy');
  await pipeline((await acme.get('big.bin')).toNode(), createWriteStream(copy));
  tell(`decrypted to a file in ${since(start)}`);
  const digest = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  if ((await digest(big)) !== (await digest(copy))) throw new Error('big.bin came back changed');
  tell(`sha-256 of both: ${(await digest(copy)).slice(0, 32)}…`);

  say('Forty bytes out of the middle of it');
  start = performance.now();
  const range = { start: 40 * MiB, end: 40 * MiB + 40 };
  const part = await (await acme.get('big.bin', { range })).bytes();
  const expected = (await readFile(big)).subarray(range.start, range.end);
  if (!expected.equals(part)) throw new Error('the range came back changed');
  tell(`${hex(part.subarray(0, 16))} … in ${since(start)}: one chunk of 16 KiB was read and authenticated`);

  say('What the store holds');
  const readme = await findObject('README.md', acme.id);
  tell(`original  ${hex((await readFile(join(project, 'README.md'))).subarray(0, 24))}`);
  tell(`stored    ${hex((await readFile(readme)).subarray(0, 24))}`);
  tell(`in ${relative(project, readme).replace(config.registry, '…')}`);

  say('A small record, handed back to the caller');
  const record = await acme.encryptRecord(
    'customers/42/iban',
    new TextEncoder().encode('DE02 1203 0000 0000 2020 51'),
  );
  tell(`27 bytes became ${String(record.length)}: ${hex(record.subarray(0, 20))} …`);
  const opened = await acme.decryptRecord('customers/42/iban', record);
  tell(`decrypted: ${new TextDecoder().decode(opened)}`);

  say('What is refused');
  await refused('a record under another name', () => acme.decryptRecord('customers/43/iban', record));
  await refused('a record in another namespace', () => globex.decryptRecord('customers/42/iban', record));

  const original = await readFile(readme);
  const tampered = Buffer.from(original);
  tampered.writeUInt8(tampered.readUInt8(tampered.length - 1) ^ 1, tampered.length - 1);
  await writeFile(readme, tampered);
  await refused('one bit changed in the store', async () => (await acme.get('README.md')).bytes());
  await writeFile(readme, original);

  const licence = await findObject('LICENSE', acme.id);
  const aside = `${licence}.aside`;
  await rename(licence, aside);
  await cp(readme, licence);
  await refused('an object renamed in the store', async () => (await acme.get('LICENSE')).bytes());
  await rename(aside, licence);

  await globex.put('README.md', new TextEncoder().encode('globex has one too'));
  const theirs = await findObject('README.md', globex.id);
  await cp(readme, theirs);
  await refused('an object of another namespace', async () => (await globex.get('README.md')).bytes());

  say('The owner’s switch');
  await keyring.disableKey('acme');
  tell(
    'acme’s owner disabled the key. A running service notices within its lease of 30 s; here it ends now.',
  );
  keybound.purge();
  await refused('acme’s data, key disabled', () => acme.get('README.md'));
  await refused('writing to acme, key disabled', () => acme.put('new', new Uint8Array(1)));
  await globex.put('still', new TextEncoder().encode('at work'));
  tell('globex goes on as before');
  await keyring.enableKey('acme');
  const again = await (await acme.get('README.md')).text();
  tell(`acme’s owner enabled it again: README.md reads “${again.split('\n', 1)[0] ?? ''}”`);

  const total = (await stat(big)).size + plain;
  console.log(
    `\nDone: ${size(total)} through two namespaces. What is left of it is in .quickstart/, for you to look at.`,
  );
}

/** Where the file store keeps an object of a namespace. */
async function findObject(name: string, namespace: string): Promise<string> {
  const all = await readdir(join(work, 'store-eu'), { recursive: true });
  const found = all.find(
    (path) =>
      path.includes(join('namespaces', namespace, 'objects')) &&
      decodeURIComponent(path.split('/').at(-1) ?? '') === `${name}@`,
  );
  if (found === undefined) throw new Error(`no stored file for ${name}`);
  return join(work, 'store-eu', found);
}

main().catch((error: unknown) => {
  console.error(error instanceof KeyboundError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
});
