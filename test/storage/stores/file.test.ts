import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newTag } from '../../../src/internal/process-tag.js';
import { readAtMost } from '../../../src/storage/bytes.js';
import { type ObjectStore, type StoredObject } from '../../../src/storage/store.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { Tree } from '../../../src/storage/stores/file/tree.js';
import { objectStoreCases } from '../../../src/testing/object-store.js';
import { pattern, sourceOf } from '../../../src/testing/object-store/trial.js';
import { tagOfTheDead } from '../../support/dead-process.js';
import { counter, increment } from './increment.js';

const base = mkdtempSync(join(tmpdir(), 'keybound-file-'));
afterAll(() => {
  rmSync(base, { recursive: true });
});

const key = { folder: 'some/Folder', name: 'Object' };
const long = { folder: `some/${'X'.repeat(100)}`, name: 'A'.repeat(512) };

let root: string;
let store: ObjectStore;
beforeEach(() => {
  root = join(mkdtempSync(join(base, 'store-')), 'made', 'on first use');
  store = fileStore(root);
});

/** Every path below the root, relative to it. */
const paths = (): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
const scratch = (): string[] => readdirSync(join(root, '@tmp'));
const put = (content: string, at = key) => store.put(at, sourceOf(new TextEncoder().encode(content)));
async function text(at = key, from = store): Promise<string> {
  const found = await from.get(at);
  const chunks: Uint8Array[] = [];
  for await (const piece of found?.bytes ?? []) chunks.push(piece);
  return Buffer.concat(chunks).toString();
}

describe('the file store', () => {
  const shared = join(base, 'shared');
  for (const one of objectStoreCases(() => Promise.resolve(fileStore(shared)))) it(one.name, () => one.run());

  it('has left nothing but objects and their names after all that', () => {
    expect(readdirSync(join(shared, '@tmp'))).toEqual([]);
    const all = readdirSync(shared, { recursive: true, encoding: 'utf8' });
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter((path) => path.endsWith('.lock'))).toEqual([]);
  });
});

describe.skipIf(!existsSync('/proc/self/fd'))('a file store', () => {
  /** How many files of the store this process has open. */
  const openFiles = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(join('/proc/self/fd', fd)).startsWith(root);
      } catch {
        return false;
      }
    }).length;

  let aborter: AbortController;
  beforeEach(() => {
    aborter = new AbortController();
  });
  const leaving: Record<string, (found: StoredObject) => Promise<unknown>> = {
    'reading to the end': async ({ bytes }) => readAtMost(bytes, 1e6),
    'leaving the loop': async ({ bytes }) => readAtMost(bytes, 1),
    'cancelling, and again': async ({ bytes }) => Promise.all([bytes.cancel(), bytes.cancel()]),
    'leaving before the first step': async ({ bytes }) => bytes[Symbol.asyncIterator]().return?.(),
    aborting: async ({ bytes }) => {
      aborter.abort();
      await expect(readAtMost(bytes, 1e6)).rejects.toMatchObject({ code: 'aborted' });
    },
    'finding a file cut short': async ({ bytes }) => {
      truncateSync(join(root, 'some/%46older/%4fbject@'), 100);
      await expect(readAtMost(bytes, 1e6)).rejects.toMatchObject({ code: 'store-failed' });
    },
  };

  it.each(Object.entries(leaving))('closes its file on %s', async (_, leave) => {
    await store.put(key, sourceOf(pattern(600_000)));
    const found = await store.get(key, { signal: aborter.signal });
    expect(openFiles()).toBe(1);
    if (found !== null) await leave(found);
    expect(openFiles()).toBe(0);
  });

  it('holds no file open where it gives none out', async () => {
    await put('content');
    await store.head(key);
    await store.list(key.folder);
    await expect(store.get(key, { version: 'other' })).rejects.toMatchObject({ code: 'object-changed' });
    expect(openFiles()).toBe(0);
    truncateSync(join(root, 'some/%46older/%4fbject@'), 3);
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store-failed' });
    expect(openFiles()).toBe(0);
  });
});

describe('a file store’s factory', () => {
  it('is called file unless told otherwise', async () => {
    expect(store.location).toBe('file');
    const other = fileStore(root, { location: 'aws:eu-west-1' });
    expect(await other.describe()).toEqual({
      location: 'aws:eu-west-1',
      conditionalCreate: true,
      conditionalReplace: true,
    });
    expect(scratch()).toEqual([]);
  });

  it('refuses unknown options and folders that are none', () => {
    const refused: unknown = expect.objectContaining({ code: 'invalid-argument' });
    for (const options of [{ folder: 'x' }, { location: '' }, { location: 'EU west' }, null]) {
      // Wrong on purpose: what a caller without types may pass.
      expect(() => fileStore(root, options as object)).toThrow(refused);
    }
    for (const folder of ['', 'a\0b', undefined, 1]) {
      expect(() => fileStore(folder as string)).toThrow(refused);
    }
  });

  it('makes nothing, and neither does reading', async () => {
    await store.get(key);
    await store.head(key);
    await store.delete(key);
    await store.list('some');
    await store.folders('some');
    expect(existsSync(root)).toBe(false);
  });
});

describe('a file store on disk', () => {
  it('is as the format says', async () => {
    const { version } = await put('content');
    expect(paths()).toEqual(['@tmp', 'some', 'some/%46older', 'some/%46older/%4fbject@']);
    const file = readFileSync(join(root, 'some/%46older/%4fbject@'));
    expect(file.subarray(0, 16).toString('hex')).toBe(version);
    expect(file.subarray(16).toString()).toBe('content');
  });

  it('is closed to other users', async () => {
    await put('first', long);
    await put('second', long);
    for (const path of ['', '..', ...paths()]) {
      const { mode } = lstatSync(join(root, path));
      const expected = (mode & 0o170000) === 0o040000 ? 0o700 : 0o600;
      expect([path, (mode & 0o777).toString(8)]).toEqual([path, expected.toString(8)]);
    }
  });

  it('is the same after reopening', async () => {
    const info = await put('content');
    const again = fileStore(root);
    expect(await again.head(key)).toEqual(info);
    expect(await text(key, again)).toBe('content');
  });

  it('keeps a long name beside its object, and takes it away with it', async () => {
    await put('content', long);
    const entry = 'some/~' + createHash('sha256').update('X'.repeat(100)).digest('hex');
    const file = `${entry}/~${createHash('sha256').update(long.name).digest('hex')}@`;
    expect(paths()).toEqual(['@tmp', 'some', entry, `${entry}/@name`, file, `${file}name`]);
    expect(readFileSync(join(root, `${file}name`), 'utf8')).toBe(long.name);
    await store.delete(long);
    expect(paths()).toEqual(['@tmp', 'some', entry, `${entry}/@name`]);
  });

  it('lists neither what lacks its name nor what someone else put there', async () => {
    await put('content', long);
    await put('content', { ...long, name: 'short' });
    const folder = join(root, paths().find((path) => path.endsWith('/@name')) ?? '', '..');
    unlinkSync(join(folder, readdirSync(folder).find((name) => /^~.*@name$/.test(name)) ?? ''));
    for (const name of ['Upper@', '%zz@', '%61@', '@', 'plain', '.hidden@', '%ff@', '~00@', 'é@']) {
      writeFileSync(join(folder, name), 'something else, long enough');
    }
    mkdirSync(join(folder, 'a-folder@'));
    mkdirSync(join(folder, 'Folder'));
    symlinkSync('plain', join(folder, 'link@'));
    const { entries } = await store.list(long.folder);
    expect(entries.map(({ name }) => name)).toEqual(['short']);
    expect((await store.folders(long.folder)).entries).toEqual([]);
    unlinkSync(join(folder, '@name'));
    expect((await store.folders('some')).entries).toEqual([]);
    await put('again', long);
  });

  it('follows no link in the place of an object', async () => {
    await put('content');
    const secret = join(base, 'secret');
    writeFileSync(secret, 'a secret that is longer than sixteen bytes');
    const file = join(root, 'some/%46older/%4fbject@');
    unlinkSync(file);
    symlinkSync(secret, file);
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store-failed', details: { errno: 'ELOOP' } });
    await expect(store.head(key)).rejects.toMatchObject({ code: 'store-failed' });
    await expect(put('x').then(() => text())).resolves.toBe('x');
    expect(readFileSync(secret, 'utf8')).toBe('a secret that is longer than sixteen bytes');
  });

  it('reports a file that is no object, and can replace or delete it', async () => {
    const file = join(root, 'some/%46older/%4fbject@');
    await put('content');
    truncateSync(file, 15);
    await expect(store.get(key)).rejects.toMatchObject({
      code: 'store-failed',
      message:
        'could not read object "Object" in folder "some/Folder": its file is not one that this store wrote; ' +
        'restore it, or delete the object',
    });
    await put('again');
    expect(await text()).toBe('again');
    truncateSync(file, 3);
    expect(await store.delete(key)).toBe(true);
    expect(await store.head(key)).toBeNull();
  });

  it('reports a file that is cut short while it is read', async () => {
    await store.put(key, sourceOf(pattern(600_000)));
    const found = await store.get(key);
    truncateSync(join(root, 'some/%46older/%4fbject@'), 300_000);
    const lengths: number[] = [];
    const reading = (async () => {
      for await (const piece of found?.bytes ?? []) lengths.push(piece.length);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'store-failed' });
    expect(lengths).toEqual([262_144]);
  });

  it('says what failed, where and why', async () => {
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'some'), 'in the way');
    await expect(put('content')).rejects.toMatchObject({
      code: 'store-failed',
      retryable: false,
      message:
        'could not store object "Object" in folder "some/Folder": ENOTDIR; ' +
        'something else lies in its place: look at it, and move it away',
      details: { errno: 'ENOTDIR' },
      cause: { code: 'ENOTDIR' },
    });
    await expect(store.list('some/Folder')).rejects.toMatchObject({ code: 'store-failed' });
    expect(scratch()).toEqual([]);
  });

  it('stores nothing when its signal aborts after the source has ended', async () => {
    const aborter = new AbortController();
    const source = sourceOf(pattern(1_000_000), 1_000_000, () => {
      setImmediate(() => {
        aborter.abort();
      });
    });
    await expect(store.put(key, source, { signal: aborter.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(await store.head(key)).toBeNull();
    expect(scratch()).toEqual([]);
  });

  it('works on when its folder was removed', async () => {
    await put('content');
    rmSync(root, { recursive: true });
    expect(await store.get(key)).toBeNull();
    await put('again');
    expect(await text()).toBe('again');
    rmSync(join(root, 'some'), { recursive: true });
    await put('once more', long);
    expect(await text(long)).toBe('once more');
  });

  it('sweeps away what a dead process left, at once, and what anyone left long ago', async () => {
    await put('content');
    const long = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
    const elsewhere = (): string => newTag().replace(/^.{32}/, 'e'.repeat(32));
    const make = (name: string, isFolder: boolean): string => {
      if (isFolder) mkdirSync(join(root, '@tmp', name, 'in it'), { recursive: true });
      else writeFileSync(join(root, '@tmp', name), '');
      return name;
    };
    const kept = [newTag(), elsewhere(), 'of another make'].flatMap((name) => make(name, false));
    kept.push(make(newTag(), true), make(elsewhere(), true));
    for (const isFolder of [true, false]) {
      make(tagOfTheDead(), isFolder);
      utimesSync(join(root, '@tmp', make(elsewhere(), isFolder)), long, long);
    }
    utimesSync(join(root, '@tmp', 'of another make'), long, long);
    await fileStore(root).put(key, sourceOf(pattern(1)));
    expect(scratch()).toEqual(kept.sort());
  });

  it('sweeps away links that somebody planted, and nothing of what they point to', async () => {
    const long = new Date(Date.now() - 30 * 24 * 60 * 60 * 1000);
    const victim = join(root, '..', 'victim');
    const inVictim = [join(victim, 'file'), join(victim, newTag().replace(/^.{32}/, 'e'.repeat(32)))];
    mkdirSync(join(victim, 'folder'), { recursive: true });
    for (const file of [...inVictim, join(victim, 'folder', 'file')]) {
      writeFileSync(file, 'kept');
      utimesSync(file, long, long);
    }
    const whole = (): string[] => readdirSync(victim, { recursive: true, encoding: 'utf8' }).sort();
    const before = whole();
    await put('content');
    const lock = join(root, '@tmp', `${'0'.repeat(64)}.lock`);
    mkdirSync(lock);
    symlinkSync(victim, join(lock, tagOfTheDead()));
    symlinkSync(victim, join(root, '@tmp', `${'1'.repeat(64)}.lock`));
    lutimesSync(join(root, '@tmp', `${'1'.repeat(64)}.lock`), long, long);
    symlinkSync(victim, join(root, '@tmp', tagOfTheDead()));
    await fileStore(root).put(key, sourceOf(pattern(1)));
    expect(scratch()).toEqual([]);
    expect(whole()).toEqual(before);
    rmSync(join(root, '@tmp'), { recursive: true });
    symlinkSync(victim, join(root, '@tmp'));
    await fileStore(root).put(key, sourceOf(pattern(1)));
    expect(whole()).toEqual(before);
    rmSync(victim, { recursive: true });
  });

  it('frees locks that dead processes left, of objects that nobody asks for again', async () => {
    await put('content');
    const living = join(`${'1'.repeat(64)}.lock`, newTag());
    for (const hold of [join(`${'0'.repeat(64)}.lock`, tagOfTheDead()), living]) {
      mkdirSync(join(root, '@tmp', hold), { recursive: true });
      writeFileSync(join(root, '@tmp', hold, 'new'), 'left');
    }
    await fileStore(root).delete(key);
    expect(scratch()).toEqual(['1'.repeat(64) + '.lock']);
    expect(existsSync(join(root, '@tmp', living, 'new'))).toBe(true);
  });

  it('goes on sweeping while it lives', async () => {
    await put('content');
    const left = join(root, '@tmp', tagOfTheDead());
    writeFileSync(left, '');
    await put('content');
    expect(existsSync(left)).toBe(true);
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 61_000);
    await put('content');
    clock.mockRestore();
    expect(existsSync(left)).toBe(false);
  });

  it('refuses a cursor that is none', async () => {
    for (const cursor of ['', '*', 'YQ==', '_w', 'x']) {
      await expect(store.list('some', { cursor })).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(store.folders('some', { cursor })).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });
});

describe('a file store shared by processes', () => {
  let program: string;
  beforeAll(() => {
    program = join(base, 'contender.mjs');
    buildSync({
      entryPoints: [join(__dirname, 'file-contender.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
    });
  });
  const run = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

  it('loses no update', async () => {
    const others = Array.from({ length: 4 }, () => run('increment', root, '25'));
    const ended = others.map((child) => once(child, 'exit'));
    for (let i = 0; i < 25; i++) await increment(store);
    expect((await Promise.all(ended)).map(([code]) => code as unknown)).toEqual([0, 0, 0, 0]);
    expect(await text(counter)).toBe('125');
    expect(scratch()).toEqual([]);
  });

  it('takes the lock from a process that was killed', async () => {
    const { version } = await put('before');
    const holder = run('hold', root, new Tree(root).place(key).lock);
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    const exited = once(holder, 'exit');
    const replaced = store.put(key, sourceOf(pattern(1)), { if: { version } });
    await sleep(50);
    expect((await store.head(key))?.version).toBe(version);
    holder.kill('SIGKILL');
    await exited;
    const after = await replaced;
    expect(await store.head(key)).toEqual(after);
    expect(scratch()).toEqual([]);
  });

  it('lets a waiting writer give up', async () => {
    const { version } = await put('before');
    const holder = run('hold', root, new Tree(root).place(key).lock);
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    const signal = AbortSignal.timeout(50);
    const waiting = store.put(key, sourceOf(pattern(1)), { if: { version }, signal });
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(scratch()).toEqual([basename(new Tree(root).place(key).lock)]);
    const exited = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exited;
  });
});
