/*
 * What the file store asks of a disk, made durable: a folder's entries survive a crash only once the folder is synced.
 */
import { constants, type Stats } from 'node:fs';
import { access, link, lstat, mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, isMissing } from '../../../internal/errno.js';

const folderMode = 0o700;
const fileMode = 0o600;

/** Follows no symbolic link to elsewhere, and does not wait for the other end of a pipe. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** What lies at `path` itself, whatever it may point to; null if nothing does. */
export async function statusOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Opens an existing file for reading, or null if there is none. */
export async function openToRead(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, readFlags);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Opens a new file for writing; it must not exist. */
export const openNew = (path: string): Promise<FileHandle> => open(path, 'wx', fileMode);

/** Fills `buffer` from `position` on; fewer bytes than asked for only at the end of the file. */
export async function readFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

/** Appends all of `bytes`. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** Makes durable which entries a folder has. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function mkdirUnlessThere(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: folderMode });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Makes a folder, and what is missing above it. When it returns the folder is durable, whoever made it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdirUnlessThere(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await makeFolder(dirname(path));
    await mkdirUnlessThere(path);
  }
  await syncFolder(dirname(path));
}

/** Gives a file a second name; false if something of that name exists. */
export async function linkNew(file: string, path: string): Promise<boolean> {
  try {
    await link(file, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
