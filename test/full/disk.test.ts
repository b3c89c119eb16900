/*
 * Disks of a test's own: small ones that really fill up, and ones that are mounted read-only. Mounting takes root; where
 * it is not permitted, the console says so, and what test/storage/stores/file-disk.test.ts imitates is all there is.
 */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  initRegistry,
  type Keybound,
  type Namespace,
  openKeybound,
  type RegistryConfig,
} from '../../src/index.js';
import { localKeyring, type LocalKeyring } from '../../src/keys/providers/local/index.js';
import { objectsFolder } from '../../src/storage/layout.js';
import { fileStore } from '../../src/storage/stores/file/index.js';
import { Tree } from '../../src/storage/stores/file/tree.js';
import { refusal } from '../support/errors.js';

const mounted: string[] = [];
const base: string[] = [];
afterEach(() => {
  for (const path of mounted.splice(0)) expect(spawnSync('umount', [path]).status).toBe(0);
  for (const path of base.splice(0)) rmSync(path, { recursive: true });
});

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

function freshFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keybound-disk-'));
  base.push(path);
  return path;
}

/** A new disk and where it is mounted, or null if that is not permitted here. */
type MakeDisk = () => string | null;

function mount(...args: string[]): string | null {
  const path = join(freshFolder(), 'mounted');
  mkdirSync(path);
  if (!run('mount', ...args, path)) return null;
  mounted.push(path);
  return path;
}

const tmpfs = (): string | null => mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs');
const fewFiles = (): string | null => mount('-t', 'tmpfs', '-o', 'size=64m,nr_inodes=60', 'tmpfs');
function ext4(): string | null {
  const image = join(freshFolder(), 'image');
  writeFileSync(image, '');
  truncateSync(image, 8 << 20);
  return run('mkfs.ext4', '-q', '-m', '0', image) ? mount('-o', 'loop', image) : null;
}

function unchecked(what: string): void {
  // eslint-disable-next-line no-console -- silence would read as success
  console.warn(`NOT CHECKED, as no disk can be mounted here: ${what}`);
}

class Tenant {
  private constructor(
    readonly folder: string,
    readonly keyring: LocalKeyring,
    readonly config: RegistryConfig,
  ) {}

  static async on(disk: string): Promise<Tenant> {
    const keyring = localKeyring(join(disk, 'keyring.age'), { passphrase: 'a small disk', workFactor: 10 });
    for (const name of ['service', 'recovery', 'acme']) await keyring.createKey(name);
    const regions = { eu: { store: fileStore(join(disk, 'store')), keyLocations: ['local'] } };
    const keys = [keyring];
    const root = { key: 'local://service', recoveryKey: 'local://recovery' };
    const { config } = await initRegistry({ regions, keys, ...root });
    await openKeybound({ ...config, regions, keys }).create('acme', { key: 'local://acme' });
    return new Tenant(disk, keyring, config);
  }

  /** As a process that remembers nothing. */
  keybound(): Keybound {
    const regions = { eu: { store: fileStore(join(this.folder, 'store')), keyLocations: ['local'] } };
    return openKeybound({ ...this.config, regions, keys: [this.keyring] });
  }

  open(): Promise<Namespace> {
    return this.keybound().open('acme');
  }

  leftovers(): string[] {
    return readdirSync(join(this.folder, 'store', '@tmp'));
  }

  fileOf({ instance }: { readonly instance: string }, name: string): string {
    const folder = objectsFolder(this.config.registry, 'acme', instance);
    return new Tree(join(this.folder, 'store')).place({ folder, name }).file;
  }
}

const content = (i: number): Buffer => Buffer.alloc(100_000, `object ${String(i)} `);

/** Puts objects until no more fit; returns how many did. */
async function putUntilFull(acme: Namespace): Promise<number> {
  for (let i = 0; ; i++) {
    const full = await acme.put(String(i), content(i)).then(
      () => false,
      (error: unknown) => {
        expect(error).toMatchObject({
          code: 'store-full',
          message: expect.stringMatching(/ENOSPC; make room on its disk/) as string,
        });
        return true;
      },
    );
    if (full) return i;
  }
}

async function expectAll(acme: Namespace, count: number): Promise<void> {
  const names: string[] = [];
  for await (const { name } of acme.list()) names.push(name);
  expect(names.sort()).toEqual(Array.from({ length: count }, (_, i) => String(i)).sort());
  for (let i = 0; i < count; i++) {
    expect(content(i).equals(await (await acme.get(String(i))).bytes())).toBe(true);
  }
}

/** Takes every last byte and file. */
function fill(disk: string): () => void {
  const files: string[] = [];
  for (const size of [1 << 16, 1 << 12, 1 << 9, 1, 0]) {
    for (let going = true; going;) {
      const path = join(disk, `filler-${String(files.length)}`);
      try {
        writeFileSync(path, new Uint8Array(size));
        files.push(path);
      } catch {
        rmSync(path, { force: true });
        going = false;
      }
      if (size === 0 && files.length > 20_000) going = false;
    }
  }
  return () => {
    for (const path of files) unlinkSync(path);
  };
}

describe('a small disk', () => {
  const disks: Record<string, MakeDisk> = {
    'in memory': tmpfs,
    'with room for few files': fewFiles,
    'with ext4': ext4,
  };

  it.each(Object.entries(disks))(
    '%s that fills up keeps what it took, and takes more when there is room',
    async (what, make) => {
      const disk = make();
      if (disk === null) {
        unchecked(`a disk ${what} that fills up`);
        return;
      }
      const tenant = await Tenant.on(disk);
      const acme = await tenant.open();
      // Somebody else's files, which will go: the lock for deleting an object takes two folders' room.
      const others = Array.from({ length: 8 }, (_, i) => join(disk, `other-${String(i)}`));
      for (const path of others) writeFileSync(path, new Uint8Array(4096));
      const count = await putUntilFull(acme);
      expect(count).toBeGreaterThan(5);
      expect(tenant.leftovers()).toEqual([]);
      await expectAll(await tenant.open(), count);

      const makeRoom = fill(disk);
      expect(statfsSync(disk).bavail * statfsSync(disk).ffree).toBe(0);
      const before = await acme.describe();
      await refusal('store-full', () => acme.put('0', content(1)));
      await refusal('store-full', () => acme.put('new', content(1)));
      await refusal('store-full', () => acme.rotate());
      await refusal('store-full', () => acme.suspend());
      await refusal('store-full', () => tenant.keybound().create('globex', { key: 'local://acme' }));
      const error = await refusal('unavailable', () => tenant.keyring.disableKey('acme'));
      expect(error.message).toMatch(/ENOSPC; make room on its disk/);
      // As it was, also for those who come now.
      expect(await (await tenant.open()).describe()).toEqual(before);
      await expectAll(await tenant.open(), count);
      expect(tenant.leftovers()).toEqual([]);

      makeRoom();
      for (const path of others) unlinkSync(path);
      expect(await acme.delete('0')).toBe(true);
      await acme.put('0', content(0));
      await acme.rotate();
      await tenant.keyring.createKey('later');
      await expectAll(await tenant.open(), count);
      expect(tenant.leftovers()).toEqual([]);
      expect(
        readdirSync(disk).filter((name) => !['lost+found', 'store', 'keyring.age'].includes(name)),
      ).toEqual([]);
    },
  );

  it('that is mounted read-only is read as ever, and refuses writes until it is mounted for writing', async () => {
    const disk = tmpfs();
    if (disk === null) {
      unchecked('a disk that is mounted read-only');
      return;
    }
    const tenant = await Tenant.on(disk);
    await (await tenant.open()).put('0', content(0));
    expect(run('mount', '-o', 'remount,ro', disk)).toBe(true);
    const acme = await tenant.open();
    await expectAll(acme, 1);
    for (const write of [
      () => acme.put('0', content(1)),
      () => acme.put('1', content(1)),
      () => acme.delete('0'),
      () => acme.rotate(),
      () => acme.suspend(),
      () => tenant.keybound().create('globex', { key: 'local://acme' }),
    ]) {
      const error = await refusal('store-denied', write);
      expect(error.message).toMatch(/EROFS; mount its disk for writing/);
    }
    const error = await refusal('misconfigured', () => tenant.keyring.disableKey('acme'));
    expect(error.message).toMatch(/EROFS; mount its disk for writing/);
    expect(run('mount', '-o', 'remount,rw', disk)).toBe(true);
    await acme.rotate();
    await acme.put('1', content(1));
    await expectAll(await tenant.open(), 2);
  });
});

it('an object whose file is a device is not read, and can be replaced and deleted', async () => {
  const tenant = await Tenant.on(freshFolder());
  const acme = await tenant.open();
  await acme.put('0', content(0));
  await acme.put('1', content(1));
  for (const [kind, major, minor] of [
    // Endless, and one that only root may open.
    ['c', '1', '5'],
    ['b', '7', '250'],
  ] as const) {
    for (const mend of [() => acme.put('1', content(1)), () => acme.delete('1')]) {
      const file = tenant.fileOf(await acme.describe(), '1');
      rmSync(file, { force: true });
      if (!run('mknod', file, kind, major, minor)) {
        unchecked('an object whose file is a device');
        return;
      }
      await refusal('store-failed', async () => (await acme.get('1')).bytes());
      await expectAll(acme, 1);
      await mend();
    }
  }
  await expectAll(acme, 1);
});
