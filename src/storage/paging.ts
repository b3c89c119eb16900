/*
 * Pages of names, for stores that can read a whole folder at once. The order is that of the names' UTF-8 bytes; a cursor
 * is the base64url of the last name of the page before, so that a page never depends on what a store remembers.
 */
import { KeyboundError } from '../errors.js';
import { base64url, compareBytes, fromUtf8, utf8 } from '../internal/bytes.js';
import { type ListOptions, type ListPage } from './store.js';

const defaultLimit = 1000;

function startOf(cursor: string | undefined): Uint8Array {
  if (cursor === undefined) return new Uint8Array(0);
  try {
    const name = base64url.decode(cursor);
    if (fromUtf8(name) !== '') return name;
  } catch {
    // Reported below, without the input.
  }
  throw new KeyboundError('invalid-argument', 'expected the cursor of an earlier page, got something else');
}

/** The page of `names` (each once, in any order) that `options`, already checked, ask for. Throws `invalid-argument`. */
export function pageOf(names: Iterable<string>, options: ListOptions): ListPage<string> {
  const { prefix = '', limit = defaultLimit } = options;
  const start = startOf(options.cursor);
  const after: Uint8Array[] = [];
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const bytes = utf8(name);
    if (compareBytes(bytes, start) > 0) after.push(bytes);
  }
  after.sort(compareBytes);
  const page = after.slice(0, limit);
  const last = page.at(-1);
  return {
    entries: page.map(fromUtf8),
    ...(last !== undefined && after.length > limit ? { cursor: base64url.encode(last) } : {}),
  };
}
