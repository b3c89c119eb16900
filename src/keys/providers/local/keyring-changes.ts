/*
 * What the administrator's verbs make of a keyring's content. No I/O; entries in, entries out.
 */
import { KeyboundError } from '../../../errors.js';
import { destroyedKey, unknownKey } from './key-errors.js';
import {
  inState,
  maxKeys,
  newEntry,
  withEntry,
  type KeyringEntries,
  type KeyringEntry,
  type KeyState,
} from './keyring-content.js';
import { uriOf } from './uri.js';

/** What a keyring tells of a key. */
export type KeyFacts = Omit<KeyringEntry, 'key'>;

export interface Change {
  /** The key as it then is. */
  readonly facts: KeyFacts;
  /** All entries as they shall be, with key bytes of their own; null if nothing changes. */
  readonly entries: KeyringEntries | null;
}

export const factsOf = ({ name, state, createdAt }: KeyringEntry): KeyFacts => ({ name, state, createdAt });

const changeTo = (entries: KeyringEntries, entry: KeyringEntry): Change => ({
  facts: factsOf(entry),
  entries: withEntry(entries, entry),
});

/** A new key. A name is never used again: what an older key of that name protected must not seem to be in its reach. */
export function creating(entries: KeyringEntries, name: string): Change {
  const existing = entries.get(name);
  if (existing !== undefined) {
    throw new KeyboundError(
      'invalid-argument',
      `expected a new key name, got that of ${uriOf(name)}, which is ${existing.state}`,
      { details: { key: uriOf(name) } },
    );
  }
  if (entries.size >= maxKeys) {
    throw new KeyboundError(
      'invalid-argument',
      `expected at most ${String(maxKeys)} keys in a keyring, destroyed ones included: use another keyring`,
    );
  }
  return changeTo(entries, newEntry(name));
}

/** The key in that state. Where it is not, `where` ends the message. */
export function turning(entries: KeyringEntries, name: string, state: KeyState, where: string): Change {
  const existing = entries.get(name);
  if (existing === undefined) throw unknownKey(name, where);
  if (existing.state === state) return { facts: factsOf(existing), entries: null };
  if (existing.state === 'destroyed') throw destroyedKey(name);
  return changeTo(entries, inState(existing, state));
}
