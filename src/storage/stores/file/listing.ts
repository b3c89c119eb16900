import { type Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, isMissing } from '../../../internal/errno.js';
import { checkSignal } from '../../../internal/signal.js';
import { maxNameLength } from '../../object-key.js';
import { openToRead, readFully } from './disk.js';
import { isHashed, nameMark, objectMark, textOf, trueTextOf } from './names.js';

/** How many files are looked at at once: enough to keep a disk busy, few enough for any limit on open files. */
const breadth = 16;

/** `look` at everything, a few at a time, in order; without what it answers null to. */
export async function lookAt<T, R>(
  all: readonly T[],
  signal: AbortSignal | undefined,
  look: (one: T) => Promise<R | null>,
): Promise<R[]> {
  const found: R[] = [];
  for (let i = 0; i < all.length; i += breadth) {
    checkSignal(signal);
    for (const one of await Promise.all(all.slice(i, i + breadth).map(look))) {
      if (one !== null) found.push(one);
    }
  }
  return found;
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const isObject = (entry: Dirent): boolean => entry.isFile() && entry.name.endsWith(objectMark);
const isFolder = (entry: Dirent): boolean => entry.isDirectory() && !entry.name.includes(objectMark);

async function trueText(entry: string, nameFile: string): Promise<string | null> {
  if (!isHashed(entry)) return textOf(entry);
  const file = await openToRead(nameFile);
  if (file === null) return null;
  try {
    const content = new Uint8Array(maxNameLength + 1);
    const length = await readFully(file, content, 0);
    return trueTextOf(entry, content.subarray(0, length));
  } finally {
    await file.close();
  }
}

/** Names of the objects in the folder at `path`; those that cannot be told are left out. */
export async function objectNames(path: string, signal: AbortSignal | undefined): Promise<string[]> {
  const files = (await entriesOf(path)).filter(isObject);
  return lookAt(files, signal, ({ name }) => {
    const entry = name.slice(0, -objectMark.length);
    return trueText(entry, join(path, entry + nameMark));
  });
}

/** Last segments of the folders in the folder at `path`, whatever they hold. */
export async function folderNames(path: string, signal: AbortSignal | undefined): Promise<string[]> {
  const folders = (await entriesOf(path)).filter(isFolder);
  return lookAt(folders, signal, ({ name }) => trueText(name, join(path, name, nameMark)));
}

/** Whether the folder at `path` holds an object at any depth. One that lies too deep to be looked into counts. */
export async function holdsObject(path: string, signal: AbortSignal | undefined): Promise<boolean> {
  checkSignal(signal);
  const entries = await entriesOf(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENAMETOOLONG') return null;
    throw error;
  });
  if (entries === null) return true;
  if (entries.some(isObject)) return true;
  for (const entry of entries.filter(isFolder)) {
    if (await holdsObject(join(path, entry.name), signal)) return true;
  }
  return false;
}
