/*
 * What a keyring file holds, once decrypted:
 *
 *   { "format": "keybound/v1/keyring", "keys": [ { "name", "state", "createdAt", "key" }, … ] }
 *
 * `key` is 32 bytes as base64url, or null in the state "destroyed".
 */
import { engine } from '#engine';
import { KeyboundError } from '../../../errors.js';
import { base64url, fromUtf8, utf8, wipe } from '../../../internal/bytes.js';
import { parseJson, shape, type Shape } from '../../../internal/shape.js';
import { type LocalKey } from './key-source.js';
import { namePattern, nameRule } from './uri.js';

const format = 'keybound/v1/keyring';
const keyLength = 32;
export const maxKeys = 10_000;

export type KeyState = LocalKey['state'];

/** An entry is never changed, only replaced, and never taken away. */
export type KeyringEntry = LocalKey & {
  readonly name: string;
  /** When the key was created, ISO 8601 in UTC. */
  readonly createdAt: string;
};

/** By name, in the order of creation. */
export type KeyringEntries = ReadonlyMap<string, KeyringEntry>;

const keyBytes: Shape<Uint8Array> = (value, path, fail) => {
  const text = shape.string(value, path, fail);
  let bytes: Uint8Array | undefined;
  try {
    bytes = base64url.decode(text);
  } catch {
    // Refused below, with other lengths.
  }
  return bytes?.length === keyLength ? bytes : fail(`expected ${path} to be 32 bytes in base64url`);
};

const keyringShape = shape.object({
  format: shape.literal(format),
  keys: shape.array(
    shape.object({
      name: shape.text(namePattern, nameRule),
      state: shape.literal('enabled', 'disabled', 'destroyed'),
      createdAt: shape.text(
        /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/,
        'a time such as 2026-01-31T12:00:00.000Z',
      ),
      key: shape.nullable(keyBytes),
    }),
    0,
    maxKeys,
  ),
});

/** The entries in `bytes`, each with key bytes of its own. Throws `keyring-invalid`, which names `path`. */
export function parseKeyring(bytes: Uint8Array, path: string): KeyringEntries {
  const fail = (message: string): never => {
    throw new KeyboundError('keyring-invalid', `keyring ${path} is malformed: ${message}`, {
      details: { keyring: path },
    });
  };
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    return fail('expected UTF-8');
  }
  const { keys } = keyringShape(parseJson(text, fail), 'keyring', fail);
  const entries = new Map<string, KeyringEntry>();
  for (const { key, state, ...facts } of keys) {
    if (entries.has(facts.name)) return fail(`expected one key named ${facts.name}, got two`);
    if (state === 'destroyed' && key === null) entries.set(facts.name, { ...facts, state, key });
    else if (state !== 'destroyed' && key !== null) entries.set(facts.name, { ...facts, state, key });
    else return fail(`expected ${facts.name} to have a key unless it is destroyed`);
  }
  return entries;
}

/** The bytes that {@link parseKeyring} reads; the caller's to wipe. */
export function encodeKeyring(entries: KeyringEntries): Uint8Array {
  const keys = [...entries.values()].map(({ name, state, createdAt, key }) => ({
    name,
    state,
    createdAt,
    key: key === null ? null : base64url.encode(key),
  }));
  return utf8(`${JSON.stringify({ format, keys }, null, 2)}\n`);
}

/** An enabled key of random bytes. */
export const newEntry = (name: string): KeyringEntry => ({
  name,
  state: 'enabled',
  createdAt: new Date().toISOString(),
  key: engine.randomBytes(keyLength),
});

/** The entry in that state, with key bytes of its own, if any: a destroyed one stays so. */
export function inState({ name, createdAt, key }: KeyringEntry, state: KeyState): KeyringEntry {
  return key === null || state === 'destroyed'
    ? { name, createdAt, state: 'destroyed', key: null }
    : { name, createdAt, state, key: key.slice() };
}

/** The entries with key bytes of their own, and `entry` itself in its place, or at the end. */
export function withEntry(entries: KeyringEntries, entry: KeyringEntry): KeyringEntries {
  const copies = [...entries.values()].map((other) =>
    other.name === entry.name ? entry : inState(other, other.state),
  );
  return new Map([...copies, entry].map((one) => [one.name, one]));
}

export function wipeEntries(entries: KeyringEntries): void {
  for (const { key } of entries.values()) if (key !== null) wipe(key);
}
