/*
 * Disks that are full, failing or damaged, as whoever uses a namespace or a keyring meets them. What needs root or a disk
 * of its own: test/full/disk.test.ts.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type KeyboundError, type Namespace } from '../../../src/index.js';
import { localKeyring } from '../../../src/keys/providers/local/index.js';
import { bindingPlace } from '../../../src/storage/layout.js';
import { type ObjectKey } from '../../../src/storage/store.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { Tree } from '../../../src/storage/stores/file/tree.js';
import { failureOf, refusal } from '../../support/errors.js';
import { makeWorld, type World } from '../../support/world.js';
import { withRoomFor, withUnreadable } from './file/failing-disk.js';

const base = mkdtempSync(join(tmpdir(), 'keybound-disk-'));
afterAll(() => {
  rmSync(base, { recursive: true });
});

const old = new Uint8Array(100_000).fill(1);
const fresh = new Uint8Array(300_000).fill(2);

let root: string;
let world: World;
let acme: Namespace;
beforeEach(async () => {
  root = mkdtempSync(join(base, 'store-'));
  world = await makeWorld({ store: () => fileStore(root) });
  acme = await world.keybound.create('acme', { key: 'local://acme' });
  await acme.put('object', old);
  await acme.put('other', old);
});

const leftovers = (): string[] => readdirSync(join(root, '@tmp'));
/** What an object holds, in words: comparing so many bytes as arrays takes its time. */
async function read(name: string, from = acme): Promise<string> {
  const content = Buffer.from(await (await from.get(name)).bytes());
  if (content.equals(old)) return 'old';
  return content.equals(fresh) ? 'fresh' : 'neither';
}
/** As another process sees it, which remembers nothing. */
const reopened = (): Promise<Namespace> => world.another().open('acme');
const placeOf = async (name: string): Promise<ObjectKey> => world.placeOf(await acme.describe(), name);
const fileOf = async (name: string): Promise<string> => new Tree(root).place(await placeOf(name)).file;
async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of acme.list()) found.push(name);
  return found;
}

describe('a full disk', () => {
  const stored = fresh.length + 1000;
  it.each([0, 1, 16, 17, 100, 16_384, 262_144, 300_000])(
    'with room for %i bytes takes no part of an object, and all of it later',
    async (room) => {
      expect(room).toBeLessThan(stored);
      for (const name of ['object', 'new']) {
        const error = await withRoomFor(room, () => refusal('store-full', () => acme.put(name, fresh)));
        expect(error.message).toMatch(/ENOSPC; make room on its disk/);
        expect(error.retryable).toBe(false);
        expect(leftovers()).toEqual([]);
      }
      expect(await names()).toEqual(['object', 'other']);
      expect(await read('object')).toBe('old');
      await acme.put('object', fresh);
      expect(await read('object')).toBe('fresh');
    },
  );

  it('keeps objects readable, and lets them be deleted', async () => {
    await withRoomFor(0, async () => {
      expect(await read('object', await reopened())).toBe('old');
      expect(await acme.delete('object')).toBe(true);
    });
    expect(await names()).toEqual(['other']);
  });

  const verbs: Record<string, () => Promise<unknown>> = {
    rotate: () => acme.rotate(),
    suspend: () => acme.suspend(),
    create: () => world.keybound.create('globex', { key: 'local://globex' }),
  };
  it.each(Object.entries(verbs))('stops %s at whatever byte, and it succeeds later', async (_, verb) => {
    const before = await acme.describe();
    let rooms = 0;
    for (let room = 0; ; room += 97, rooms++) {
      const error = await withRoomFor(room, () =>
        verb().then(
          () => null,
          (caught: unknown) => caught as KeyboundError,
        ),
      );
      expect(leftovers()).toEqual([]);
      if (error === null) break;
      expect(error.code).toBe('store-full');
      expect(await (await reopened()).describe()).toEqual(before);
      await refusal('namespace-not-found', () => world.another().open('globex'));
    }
    expect(rooms).toBeGreaterThan(5);
    const after = await (await reopened()).describe();
    const created = await world
      .another()
      .open('globex')
      .then(
        () => 1,
        () => 0,
      );
    expect(after.epoch + created).toBe(before.epoch + 1);
    if (after.status === 'suspended') await acme.resume();
    expect(await read('object')).toBe('old');
  });

  it('leaves a keyring as it was at whatever byte it ends, and takes the change later', async () => {
    const path = join(mkdtempSync(join(base, 'keyring-')), 'keyring.age');
    const keyring = localKeyring(path, { passphrase: 'a full disk', workFactor: 10 });
    await keyring.createKey('first');
    const before = readFileSync(path);
    for (const room of [0, 1, 100, before.length]) {
      const error = await withRoomFor(room, () => refusal('unavailable', () => keyring.createKey('second')));
      expect(error.message).toBe(
        `cannot write keyring ${path}: ENOSPC; make room on its disk, or raise the quota: nothing is lost`,
      );
      expect(readFileSync(path)).toEqual(before);
      expect(readdirSync(join(path, '..'))).toEqual(['keyring.age']);
    }
    await keyring.createKey('second');
    const again = localKeyring(path, { passphrase: 'a full disk', workFactor: 10 });
    expect((await again.listKeys()).map(({ name }) => name)).toEqual(['first', 'second']);
  });
});

describe('a disk that cannot be read', () => {
  it.each([
    ['from the start', 0],
    ['from the middle of an object on', 50_000],
  ])('%s fails the read, and nothing else', async (_, from) => {
    await withUnreadable(from, async () => {
      const error = await refusal('store-failed', () => read('object'));
      expect(error.message).toMatch(/EIO; its disk is failing: check it, and restore what it lost/);
      expect(error.details).toEqual({ errno: 'EIO' });
    });
    expect(await read('object')).toBe('old');
  });

  it('still lets its objects be listed, and deleted', async () => {
    const { folder } = await placeOf('object');
    await withUnreadable(0, async () => {
      const { entries } = await world.store.list(folder);
      expect(entries.map(({ name, version }) => [name, version])).toEqual([
        ['object', 'damaged'],
        ['other', 'damaged'],
      ]);
      expect(await world.store.delete({ folder, name: 'object' })).toBe(true);
    });
    expect(await names()).toEqual(['other']);
  });

  it('is not taken for one that holds no binding', async () => {
    await withUnreadable(0, async () => {
      await refusal('store-failed', reopened);
      await refusal('store-failed', () => world.another().create('acme', { key: 'local://acme' }));
    });
    expect(await read('object', await reopened())).toBe('old');
  });
});

/** What can happen to a file, and what reading the object then says. */
const damages: Record<string, readonly [KeyboundError['code'], (file: string, other: string) => void]> = {
  'cut to nothing': [
    'store-failed',
    (file) => {
      truncateSync(file);
    },
  ],
  'cut within its version': [
    'store-failed',
    (file) => {
      truncateSync(file, 15);
    },
  ],
  'cut within its header': [
    'integrity-failure',
    (file) => {
      truncateSync(file, 60);
    },
  ],
  'cut between two chunks': [
    'integrity-failure',
    (file) => {
      truncateSync(file, bodyStart(file) + 56 + 16_400);
    },
  ],
  'cut by a byte': [
    'integrity-failure',
    (file) => {
      truncateSync(file, readFileSync(file).length - 1);
    },
  ],
  'overwritten with zeros': [
    'not-ciphertext',
    (file) => {
      writeFileSync(file, new Uint8Array(100_000));
    },
  ],
  'overwritten in its middle': [
    'integrity-failure',
    (file) => {
      writeFileSync(file, overwritten(file));
    },
  ],
  'overwritten by another object': [
    'integrity-failure',
    (file, other) => {
      copyFileSync(other, file);
    },
  ],
};

/** Where the body begins: everything before its last full and partial chunks, salt and commitment. */
const bodyStart = (file: string): number =>
  readFileSync(file).length - (56 + 6 * 16_400 + (100_000 % 16_384) + 16);
function overwritten(file: string): Uint8Array {
  const bytes = readFileSync(file);
  return bytes.fill(0, 50_000, 50_512);
}

describe('an object whose file was', () => {
  it.each(Object.entries(damages))(
    '%s: says so, is listed, and can be replaced and deleted',
    async (_, [code, damage]) => {
      for (const mend of [() => acme.put('object', fresh), () => acme.delete('object')]) {
        damage(await fileOf('object'), await fileOf('other'));
        await refusal(code, () => read('object'));
        expect(await names()).toEqual(['object', 'other']);
        expect(await read('other')).toBe('old');
        await mend();
      }
      expect(await names()).toEqual(['other']);
      expect(leftovers()).toEqual([]);
    },
  );

  const replacements: Record<string, (file: string) => void> = {
    'a link to a file': (file) => {
      symlinkSync(join(root, '..', 'elsewhere'), file);
    },
    'a link to nothing': (file) => {
      symlinkSync('nothing', file);
    },
    'a pipe': (file) => {
      expect(spawnSync('mkfifo', [file]).status).toBe(0);
    },
  };
  it.each(Object.entries(replacements))(
    'replaced by %s: is not followed, and can be replaced and deleted',
    async (_, replace) => {
      const elsewhere = join(base, 'elsewhere');
      writeFileSync(elsewhere, 'something of somebody else’s');
      for (const mend of [() => acme.put('object', fresh), () => acme.delete('object')]) {
        const file = await fileOf('object');
        unlinkSync(file);
        replace(file);
        const error = await refusal('store-failed', () => read('object'));
        expect(error.message).toMatch(/look at it, and move it away|restore it, or delete the object/);
        expect(await names()).toEqual(['other']);
        await mend();
      }
      expect(await names()).toEqual(['other']);
      expect(readFileSync(elsewhere, 'utf8')).toBe('something of somebody else’s');
      expect(leftovers()).toEqual([]);
    },
  );

  it('replaced by a folder: is never touched, and says so', async () => {
    const file = await fileOf('object');
    unlinkSync(file);
    mkdirSync(file);
    writeFileSync(join(file, 'kept'), 'kept');
    for (const use of [() => read('object'), () => acme.put('object', fresh), () => acme.delete('object')]) {
      const error = await refusal('store-failed', use);
      expect(error.message).toMatch(/look at it, and move it away|restore it, or delete the object/);
      expect(existsSync(join(file, 'kept'))).toBe(true);
      expect(leftovers()).toEqual([]);
    }
    expect(await names()).toEqual(['other']);
    rmSync(file, { recursive: true });
    await acme.put('object', fresh);
    expect(await read('object')).toBe('fresh');
  });
});

describe('a binding whose newest file was', () => {
  it.each<[string, (file: string, bytes: Buffer) => void]>([
    [
      'cut to nothing',
      (file) => {
        truncateSync(file);
      },
    ],
    [
      'cut within its version',
      (file) => {
        truncateSync(file, 15);
      },
    ],
    [
      'cut to its version',
      (file) => {
        truncateSync(file, 16);
      },
    ],
    [
      'cut in the middle',
      (file, { length }) => {
        truncateSync(file, Math.floor(length / 2));
      },
    ],
    [
      'cut by a byte',
      (file, { length }) => {
        truncateSync(file, length - 1);
      },
    ],
    [
      'overwritten with zeros',
      (file, { length }) => {
        writeFileSync(file, new Uint8Array(length));
      },
    ],
    [
      'overwritten in its middle',
      (file, bytes) => {
        writeFileSync(file, Buffer.from(bytes).fill(0, 500, 600));
      },
    ],
  ])('%s: opens nothing, makes nothing anew, and works once restored', async (_, damage) => {
    await acme.rotate();
    const file = new Tree(root).place(bindingPlace(world.config.registry, 'acme', 2)).file;
    const intact = readFileSync(file);
    damage(file, intact);
    for (const use of [reopened, () => world.another().create('acme', { key: 'local://acme' })]) {
      const error = await failureOf(use);
      expect(error).toMatchObject({ retryable: false });
      expect(['store-failed', 'binding-invalid']).toContain((error as KeyboundError).code);
    }
    writeFileSync(file, intact);
    expect(await read('object', await reopened())).toBe('old');
  });
});
