/*
 * What an ordinary user meets whose permissions are taken away, for file-permissions.test.ts: `<folder> <scenario>`, in a
 * folder of its own. Prints what came of it as JSON.
 */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { initRegistry, KeyboundError, type Namespace, openKeybound } from '../../../src/index.js';
import { localKeyring } from '../../../src/keys/providers/local/index.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';

const [folder = '', scenario = ''] = process.argv.slice(2);
const root = join(folder, 'store');
const path = join(folder, 'keyring', 'keyring.age');
const keyring = localKeyring(path, { passphrase: 'an ordinary user', workFactor: 10 });

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** `ok`, or the code of the error and what its message ends with. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    const result = await work();
    return typeof result === 'string' ? result : 'ok';
  } catch (error) {
    if (!(error instanceof KeyboundError)) throw error;
    return `${error.code}: ${error.message.replace(/^.*?(?=E[A-Z]+;)/s, '')}`;
  }
}

const foldersIn = (of: string): string[] => [
  of,
  ...readdirSync(of, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => foldersIn(join(of, entry.name))),
];
function setWritable(of: string, writable: boolean): void {
  for (const one of foldersIn(of)) chmodSync(one, writable ? 0o700 : 0o500);
}

/** A piece, then `meanwhile`, then another. */
async function* interrupted(meanwhile: () => void): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(300_000));
  meanwhile();
  yield new Uint8Array(300_000);
}

async function main(): Promise<Record<string, unknown>> {
  mkdirSync(join(folder, 'keyring'), { mode: 0o700 });
  for (const name of ['service', 'recovery', 'acme']) await keyring.createKey(name);
  const regions = { eu: { store: fileStore(root), keyLocations: ['local'] } };
  const keys = [keyring];
  const { config } = await initRegistry({
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  /** As another process of this user has it. */
  const open = (): Promise<Namespace> =>
    openKeybound({
      ...config,
      regions: { eu: { store: fileStore(root), keyLocations: ['local'] } },
      keys,
    }).open('acme');
  const acme = await openKeybound({ ...config, regions, keys }).create('acme', { key: 'local://acme' });
  await acme.put('object', text('old'));
  const read = async (): Promise<string> => (await (await open()).get('object')).text();

  if (scenario === 'read-only') {
    setWritable(folder, false);
    const reader = await open();
    const refused = {
      put: await outcome(() => reader.put('object', text('new'))),
      create: await outcome(() => reader.put('new', text('new'))),
      delete: await outcome(() => reader.delete('object')),
      rotate: await outcome(() => reader.rotate()),
      key: await outcome(() => keyring.createKey('new')),
    };
    const readable = await outcome(read);
    const listed: string[] = [];
    for await (const { name } of reader.list()) listed.push(name);
    setWritable(folder, true);
    const later = [
      await outcome(() => reader.put('object', text('new'))),
      await outcome(() => reader.rotate()),
    ];
    return { refused, readable, listed, later, now: await read() };
  }
  const scratch = join(root, '@tmp');
  const refused = {
    // Where the object goes, where it is written, and where both are found.
    objects: await outcome(() =>
      acme.put(
        'new',
        interrupted(() => {
          for (const one of foldersIn(join(root, 'keybound'))) chmodSync(one, 0o500);
        }),
      ),
    ),
    scratch: await outcome(() => {
      setWritable(root, true);
      return acme.put(
        'object',
        interrupted(() => {
          chmodSync(scratch, 0o500);
        }),
      );
    }),
    root: await outcome(() => {
      setWritable(root, true);
      return acme.put(
        'object',
        interrupted(() => {
          chmodSync(root, 0o000);
        }),
      );
    }),
  };
  chmodSync(root, 0o700);
  setWritable(root, true);
  return { refused, readable: await outcome(read), now: await read() };
}

void main().then((result) => process.stdout.write(JSON.stringify(result)));
