/*
 * The keyring's file: read whole, replaced whole. A change is staged in the scratch folder `<keyring>.tmp`, made
 * durable there, and put in place under the lock `<keyring>.lock` if the file is still the one it was made from.
 */
import { mkdir, open, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KeyboundError } from '../../../errors.js';
import { errnoOf, isMissing } from '../../../internal/errno.js';
import { withFencedLock } from '../../../internal/fenced-lock.js';
import { sweepLeftovers } from '../../../internal/leftovers.js';
import { newTag } from '../../../internal/process-tag.js';

/** Ten thousand keys take half of it. */
export const maxFileSize = 4 * 1024 * 1024;
/** After so long it is cleared away also if nobody can tell whether its process lives; staging takes seconds. */
const abandonedMs = 10 * 60_000;

/** Repeating helps none of these; anything else (EIO, ENOSPC, EMFILE) may pass. */
const lasting = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

const makeRoom = 'make room on its disk, or raise the quota: nothing is lost';
/** What to do about it, where it is not about the folder and its permissions. */
const advices: Readonly<Partial<Record<string, string>>> = {
  ENOSPC: makeRoom,
  EDQUOT: makeRoom,
  EROFS: 'mount its disk for writing, or change the keyring elsewhere',
  EIO: 'its disk is failing: check it, or restore the file',
  EMFILE: 'let this process open more files',
};

async function reporting<T>(path: string, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyboundError) throw error;
    const reason = errnoOf(error) ?? 'unknown';
    const advice =
      advices[reason] ?? `check that its folder exists and that this process may ${doing} what is in it`;
    throw new KeyboundError(
      lasting.has(reason) ? 'misconfigured' : 'unavailable',
      `cannot ${doing} keyring ${path}: ${reason}; ${advice}`,
      { details: { keyring: path, reason }, cause: error },
    );
  }
}

/** Names the file at `path` as it is now: any change gives another stamp. Null if there is none. */
export function stampOf(path: string): Promise<string | null> {
  return reporting(path, 'read', async () => {
    const info = await stat(path, { bigint: true }).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (info === null) return null;
    if (!info.isFile()) {
      throw new KeyboundError(
        'misconfigured',
        `expected a keyring file at ${path}, got ${info.isDirectory() ? 'a folder' : 'something else'}`,
        { details: { keyring: path } },
      );
    }
    return [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(':');
  });
}

/** The bytes of the file, or null if there is none. Throws `keyring-invalid` if they are too many. */
export function readKeyringFile(path: string): Promise<Uint8Array | null> {
  return reporting(path, 'read', async () => {
    const handle = await open(path).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (handle === null) return null;
    try {
      const { size } = await handle.stat();
      if (size > maxFileSize) {
        throw new KeyboundError(
          'keyring-invalid',
          `expected a keyring of at most ${String(maxFileSize)} bytes at ${path}, got ${String(size)}`,
          { details: { keyring: path } },
        );
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  });
}

/**
 * Replaces the file by `contents`, atomically and durably, with mode 0600; false, and nothing done, if its stamp is
 * no longer `expected` (null: there is none).
 */
export function replaceKeyringFile(
  path: string,
  contents: Uint8Array,
  expected: string | null,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return reporting(path, 'write', async () => {
    const target = expected === null ? path : await realpath(path).catch(() => path);
    const scratch = `${target}.tmp`;
    const staged = join(scratch, newTag());
    try {
      await stage(scratch, staged, contents);
      return await withFencedLock(`${target}.lock`, scratch, signal, async (lock) => {
        if ((await stampOf(path)) !== expected) return false;
        await lock.replace(target, staged);
        await syncFolder(dirname(target));
        return true;
      });
    } finally {
      await tidy(scratch, staged);
    }
  });
}

async function stage(scratch: string, path: string, contents: Uint8Array): Promise<void> {
  const handle = await createIn(scratch, path);
  try {
    // The mode given on creation is cut by the umask.
    await handle.chmod(0o600);
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates the file, and its folder as often as another process removes it as empty. */
async function createIn(folder: string, path: string): ReturnType<typeof open> {
  for (;;) {
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Clears away what was staged and what was left behind, and the folder if nothing else is in it. Best effort. */
async function tidy(scratch: string, staged: string): Promise<void> {
  try {
    await rm(staged, { force: true });
    await sweepLeftovers(scratch, abandonedMs);
    await rmdir(scratch);
  } catch {
    // Others are at work there, and tidy up after themselves.
  }
}
