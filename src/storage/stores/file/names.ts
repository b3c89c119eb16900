/*
 * Names of files and folders on disk: safe where case or Unicode form is ignored, and never a path of their own.
 *
 *   entry     = [a-z0-9_-] and inner dots as they are, every other byte of the UTF-8 as %xx
 *             | '~' ‖ hex SHA-256 of the UTF-8, if that is longer than 200 characters: the true name is kept beside it
 *   folder    = entry            its true name, if hashed: entry/@name
 *   object    = entry '@'        its true name, if hashed: entry '@name'
 *   scratch   = '@tmp', in the root: files being written, each named by a tag; locks, <hash of the object's path>.lock
 *
 * '@' and '~' are in no ordinary entry, so nothing collides.                     docs/decisions/0004-file-store.md
 */
import { createHash } from 'node:crypto';
import { fromUtf8, utf8 } from '../../../internal/bytes.js';
import { lockSuffix } from '../../../internal/fenced-lock.js';

/** With every suffix below a file system's usual 255 bytes. */
const maxEntryLength = 200;

/** Ends an object's file name; with more after it, what belongs to the object. */
export const objectMark = '@';
/** After {@link objectMark}: the file that holds a true name. In a folder: that of the folder. */
export const nameMark = '@name';
/** The folder of what is being prepared, locked or discarded, in a store's root. */
export const scratchName = '@tmp';

const plain = /[a-z0-9_-]/;

function escape(text: string): string {
  const bytes = utf8(text);
  let out = '';
  bytes.forEach((byte, i) => {
    const char = String.fromCharCode(byte);
    const inner = i > 0 && i < bytes.length - 1;
    const kept = plain.test(char) || (char === '.' && inner);
    out += kept ? char : `%${byte.toString(16).padStart(2, '0')}`;
  });
  return out;
}

const hashOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Whether an entry is the hash of its true name. */
export const isHashed = (entry: string): boolean => entry.startsWith('~');

/** The entry for a folder's segment or an object's name. */
export function entryOf(text: string): string {
  const escaped = escape(text);
  if (escaped.length <= maxEntryLength) return escaped;
  return `~${hashOf(text)}`;
}

/** The name of an object's lock in the scratch folder, where those of dead processes are found without a search. */
export const lockName = (folder: string, name: string): string => hashOf(`${folder}/${name}`) + lockSuffix;

/** The text that an entry, not hashed, stands for; null if keybound would not have named it so. */
export function textOf(entry: string): string | null {
  const bytes: number[] = [];
  for (const [, hex, char = ''] of entry.matchAll(/%([0-9a-f]{2})|([^])/g)) {
    bytes.push(hex === undefined ? char.charCodeAt(0) : parseInt(hex, 16));
  }
  return checked(Uint8Array.from(bytes), entry);
}

/** The text in a file of true names, or null if it is not that of `entry`. */
export function trueTextOf(entry: string, content: Uint8Array): string | null {
  return checked(content, entry);
}

function checked(bytes: Uint8Array, entry: string): string | null {
  try {
    const text = fromUtf8(bytes);
    return text !== '' && entryOf(text) === entry ? text : null;
  } catch {
    return null;
  }
}
