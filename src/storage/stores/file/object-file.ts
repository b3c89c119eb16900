/*
 * One object in one file: id 16 ‖ the bytes. A file is never changed once it has its name, so whoever has it open has
 * size, version and bytes of one object, whatever happens to the name.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';
import { toHex } from '../../../internal/bytes.js';
import { checkSignal } from '../../../internal/signal.js';
import { PulledBytes } from '../../pulled-bytes.js';
import { type SourceReader } from '../../source-reader.js';
import { type StoredInfo } from '../../store.js';
import { openToRead, readFully, statusOf, writeFully } from './disk.js';
import { isDamage, Damaged, storeError } from './errors.js';

/** 128 random bits: no version comes twice. */
const idLength = 16;
/** Bytes read or written at once. */
export const pieceSize = 256 * 1024;

export interface OpenObject extends StoredInfo {
  readonly file: FileHandle;
}

/** Opens an object, or null if there is none. The caller closes its file. */
export async function openObject(path: string): Promise<OpenObject | null> {
  const file = await openToRead(path);
  if (file === null) return null;
  try {
    const status = await file.stat();
    const id = new Uint8Array(idLength);
    if (!status.isFile() || (await readFully(file, id, 0)) < idLength) {
      throw new Damaged('its file is not one that this store wrote; restore it, or delete the object');
    }
    return { file, size: status.size - idLength, version: toHex(id) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Size and version of an object, or null if there is none. */
export async function infoAt(path: string): Promise<StoredInfo | null> {
  const opened = await openObject(path);
  if (opened === null) return null;
  await opened.file.close();
  return { size: opened.size, version: opened.version };
}

/** The version in listings of an object that cannot be read: it names no bytes, and no condition ever holds for it. */
const damagedVersion = 'damaged';

/** As {@link infoAt}, but one damaged file does not hide the others of its folder. */
export async function listedAt(path: string): Promise<StoredInfo | null> {
  try {
    return await infoAt(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const status = await statusOf(path);
    return status && { size: Math.max(0, status.size - idLength), version: damagedVersion };
  }
}

/** Writes everything the reader gives as a new object into an empty file. */
export async function writeObject(file: FileHandle, reader: SourceReader): Promise<StoredInfo> {
  const id = randomBytes(idLength);
  await writeFully(file, id);
  let size = 0;
  for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
    await writeFully(file, piece);
    size += piece.length;
  }
  return { size, version: toHex(id) };
}

/** The bytes of an open object from `start` up to `end`, which is not past its end. Closes the file. `doing` is for messages. */
export function readObject(
  { file }: OpenObject,
  start: number,
  end: number,
  doing: string,
  signal: AbortSignal | undefined,
): PulledBytes {
  let at = start;
  return new PulledBytes({
    pull: async () => {
      checkSignal(signal);
      if (at >= end) return null;
      const piece = new Uint8Array(Math.min(pieceSize, end - at));
      const position = idLength + at;
      at += piece.length;
      try {
        if ((await readFully(file, piece, position)) < piece.length)
          throw new Damaged('its file became shorter; restore it, or delete the object');
        return piece;
      } catch (error) {
        throw storeError(error, doing);
      }
    },
    release: () => file.close(),
  });
}
