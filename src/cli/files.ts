/*
 * Files and folders on this side of the command line.
 */
import { createReadStream, type Stats } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { randomUUID } from 'node:crypto';
import { KeyboundError } from 'keybound';
import { quote } from './quote.js';

/** Read at once; Node's default of 64 KiB is slower. */
const readSize = 1024 * 1024;

/** What is wrong with a path that was given. */
const faults: Readonly<Partial<Record<string, string>>> = {
  EISDIR: 'it is a folder: name a file, or use --recursive',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'what should be its folder is a file',
};

function failed(verb: string, path: string, error: unknown): KeyboundError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  const fault = verb === 'write' ? faults[code] : undefined;
  if (fault !== undefined) {
    return new KeyboundError('invalid-argument', `cannot write ${path}: ${fault}`, { cause: error });
  }
  return code === 'ENOENT' && verb === 'read'
    ? new KeyboundError('invalid-argument', `there is no file ${path}`, { cause: error })
    : new KeyboundError('source-failed', `cannot ${verb} ${path}: ${code}`, { cause: error });
}

/** What is known of a file that is to be read. Throws `invalid-argument` if there is none. */
export async function look(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw failed('read', path, error);
  }
}

/** The bytes of a file. */
export async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    // A file stream without an encoding yields buffers.
    yield* createReadStream(path, { highWaterMark: readSize }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failed('read', path, error);
  }
}

/** Regular files below a folder, by their path in it with `/`, in order. Links are not followed. */
export async function* filesBelow(root: string): AsyncGenerator<string> {
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries;
    try {
      entries = await readdir(join(root, folder), { withFileTypes: true });
    } catch (error) {
      throw failed('read', join(root, folder), error);
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) yield path;
    }
  }
}

/**
 * Writes a file whole or not at all: what was there stays until the last byte is there. Throws what the bytes throw, and
 * `source-failed` if it cannot be written.
 */
export async function writeFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  // A link is followed: what it points to is what was meant.
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => null);
  if (there !== null && !there.isFile()) {
    // A device or a pipe is written to, and not replaced by a file. A folder fails here.
    await fill(path, target, 'r+', bytes);
    return;
  }
  const staged = join(dirname(target), `.keybound-${randomUUID()}.part`);
  try {
    await fill(path, staged, 'wx', bytes, there?.mode);
    await rename(staged, target).catch((error: unknown) => {
      throw failed('write', path, error);
    });
  } finally {
    await rm(staged, { force: true }).catch(() => undefined);
  }
}

/** Writes bytes into the file at `to`; `path` is what messages call it. */
async function fill(
  path: string,
  to: string,
  flags: 'wx' | 'r+',
  bytes: AsyncIterable<Uint8Array>,
  mode?: number,
): Promise<void> {
  const failing = (error: unknown): never => {
    throw failed('write', path, error);
  };
  const file = await open(to, flags).catch(failing);
  try {
    if (mode !== undefined) await file.chmod(mode & 0o777).catch(failing);
    for await (const piece of bytes) await file.writeFile(piece).catch(failing);
  } finally {
    await file.close();
  }
}

/**
 * The path below `root` that an object's name stands for. Names are anybody's: one that would lead elsewhere, or that no
 * file can have, is refused (`invalid-argument`).
 */
export function pathBelow(root: string, name: string): string {
  const segments = name.split('/');
  const path = join(root, ...segments);
  const plain = segments.every(
    (segment) =>
      segment !== '' &&
      segment !== '.' &&
      segment !== '..' &&
      !/[\0\\]/.test(segment) &&
      !(sep === '\\' && /[:*?"<>|]|[. ]$/.test(segment)),
  );
  if (plain) return path;
  throw new KeyboundError(
    'invalid-argument',
    `expected the names of objects to be paths below ${root}, got ${quote(name, 100)}: get it by itself, with --output`,
  );
}

/** Makes the folder that a file is to lie in. */
export async function makeFolderOf(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw failed('write', path, error);
  }
}
