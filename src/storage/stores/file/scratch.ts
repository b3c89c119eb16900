import { rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { utf8 } from '../../../internal/bytes.js';
import { newTag } from '../../../internal/process-tag.js';
import { exists, linkNew, openNew, syncFolder, writeFully } from './disk.js';

/** A path that nobody else uses, and that says whose it is. */
export const freshPath = (scratch: string): string => join(scratch, newTag());

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
    // What was stored is stored, and what failed has failed: neither is for a leftover to change.
    await rm(path, { force: true }).catch(() => undefined);
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
