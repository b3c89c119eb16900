import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toHex, utf8 } from '../../../internal/bytes.js';
import { exists, linkNew, openNew, syncFolder, writeFully } from './disk.js';

/** What nobody has written to for so long was left by a process that died. */
const leftoverAgeMs = 7 * 24 * 60 * 60 * 1000;

/** A path that nobody else uses. */
export const freshPath = (scratch: string): string => join(scratch, toHex(randomBytes(16)));

/** Writes a new file durably, lends it to `use`, which may link it to its place, and takes it away whatever happens. */
export async function lendFile<Written, T>(
  scratch: string,
  write: (file: FileHandle) => Promise<Written>,
  use: (path: string, written: Written) => Promise<T>,
): Promise<T> {
  const path = freshPath(scratch);
  try {
    return await use(path, await writeFile(path, write));
  } finally {
    await rm(path, { force: true });
  }
}

async function writeFile<Written>(
  path: string,
  write: (file: FileHandle) => Promise<Written>,
): Promise<Written> {
  const file = await openNew(path);
  try {
    const written = await write(file);
    await file.sync();
    return written;
  } finally {
    await file.close();
  }
}

/** Sees to it that a file of a true name is there, durably. */
export async function keepName(scratch: string, path: string, text: string): Promise<void> {
  if (!(await exists(path))) {
    await lendFile(
      scratch,
      (file) => writeFully(file, utf8(text)),
      (staged) => linkNew(staged, path),
    );
  }
  await syncFolder(dirname(path));
}

/** Removes what processes that died left behind, as far as that succeeds: it must not keep anyone from writing. */
export async function sweep(scratch: string): Promise<void> {
  for (const name of await readdir(scratch)) {
    const path = join(scratch, name);
    try {
      if (Date.now() - (await lstat(path)).mtimeMs > leftoverAgeMs) await rm(path, { recursive: true });
    } catch {
      // Another process may have removed it first; otherwise the next sweep tries again.
    }
  }
}
