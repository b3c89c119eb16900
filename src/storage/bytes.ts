import { join } from '../internal/bytes.js';
import {
  type GetOptions,
  type ObjectKey,
  type ObjectStore,
  type StoredBytes,
  type StoredInfo,
} from './store.js';

/** Collects at most `limit` bytes; null, and the rest left unread, if there are more. */
export async function readAtMost(bytes: StoredBytes, limit: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > limit) return null;
    // Empty ones would cost memory and count for nothing.
    if (part.length > 0) parts.push(part);
  }
  return join(parts);
}

export interface SmallObject extends StoredInfo {
  /** Null if it is larger than the limit. */
  readonly content: Uint8Array | null;
}

/** A whole small object, or null if there is none. Nothing beyond `limit` bytes is read. */
export async function getSmall(
  store: ObjectStore,
  key: ObjectKey,
  limit: number,
  options?: Pick<GetOptions, 'signal'>,
): Promise<SmallObject | null> {
  const found = await store.get(key, options);
  if (found === null) return null;
  const { size, version } = found;
  if (size > limit) {
    await found.bytes.cancel();
    return { size, version, content: null };
  }
  return { size, version, content: await readAtMost(found.bytes, limit) };
}

/** A source of one piece. */
// eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by its type
export async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
