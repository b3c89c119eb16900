import { engine } from '#engine';
import { KeyboundError } from '../../../errors.js';
import { sameBytes, wipe } from '../../../internal/bytes.js';
import { checkSignal, withSignal } from '../../../internal/signal.js';
import { decryptWithPassphrase, encryptWithPassphrase } from './age-file.js';
import { type FindKey, type KeySource } from './key-source.js';
import { creating, factsOf, turning, type Change, type KeyFacts } from './keyring-changes.js';
import {
  encodeKeyring,
  parseKeyring,
  wipeEntries,
  type KeyringEntries,
  type KeyState,
} from './keyring-content.js';
import { readKeyringFile, replaceKeyringFile, stampOf } from './keyring-file.js';

export interface KeyringOptions {
  readonly path: string;
  /** Throws `keyring-locked`. */
  readonly passphrase: () => Promise<string>;
  readonly workFactor: number;
}

/** A keyring, decrypted. */
interface Opened {
  /** Of the file, before it was read; null if it must be read again. */
  readonly stamp: string | null;
  /** SHA-512 of the file's bytes: the same bytes are not decrypted twice. */
  readonly digest: Uint8Array;
  /** What opened the file. A change is encrypted with the same, never with one asked for anew. */
  readonly passphrase: string;
  readonly entries: KeyringEntries;
}

/** In each round somebody else's change was made: so many lost in a row mean that something else is wrong. */
const maxRounds = 100;

/** Decides on the entries (null: there is no file). May run again. */
type Decide = (entries: KeyringEntries | null) => Change;

/** A keyring file and what is known of it in memory: decrypted once, and again when the file has changed. */
export class Keyring implements KeySource {
  readonly whenUnknown: string;
  readonly #options: KeyringOptions;
  #opened: Opened | null = null;
  #opening: Promise<void> | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: KeyringOptions) {
    this.#options = options;
    this.whenUnknown = `in keyring ${options.path}: create it with createKey, or correct the key URI`;
  }

  read<T>(signal: AbortSignal | undefined, use: (find: FindKey) => T): Promise<T> {
    return this.#whileFresh(signal, (opened) => {
      const { entries } = opened ?? this.#missing();
      return use((name) => entries.get(name));
    });
  }

  /** All keys, in the order of creation. */
  list(signal: AbortSignal | undefined): Promise<KeyFacts[]> {
    return this.#whileFresh(signal, (opened) =>
      [...(opened ?? this.#missing()).entries.values()].map(factsOf),
    );
  }

  /** Makes a key, and the file if there is none. */
  create(name: string, signal: AbortSignal | undefined): Promise<KeyFacts> {
    return this.#change(signal, (entries) => creating(entries ?? new Map(), name));
  }

  /** Moves a key to another state. */
  turn(name: string, state: KeyState, signal: AbortSignal | undefined): Promise<KeyFacts> {
    return this.#change(signal, (entries) =>
      turning(entries ?? this.#missing(), name, state, this.whenUnknown),
    );
  }

  /**
   * Changes of one process wait for each other. Resolves once the change is durable; one that was aborted, or met an
   * error, may have been made or not.
   */
  #change(signal: AbortSignal | undefined, decide: Decide): Promise<KeyFacts> {
    const change = this.#lastChange.then(() => this.#changeNow(signal, decide));
    this.#lastChange = change.catch(() => undefined);
    return withSignal(change, signal);
  }

  /** Decides on the file as it is, encrypts, then replaces the file if it is still the same; else decides anew. */
  async #changeNow(signal: AbortSignal | undefined, decide: Decide): Promise<KeyFacts> {
    const { path, workFactor } = this.#options;
    for (let round = 0; round < maxRounds; round++) {
      const { facts, entries, ...before } = await this.#whileFresh(signal, (opened) => ({
        ...decide(opened?.entries ?? null),
        stamp: opened?.stamp ?? null,
        passphrase: opened?.passphrase,
      }));
      if (entries === null) return facts;
      try {
        const passphrase = before.passphrase ?? (await this.#options.passphrase());
        const plaintext = encodeKeyring(entries);
        const file = await encryptWithPassphrase(plaintext, passphrase, workFactor);
        wipe(plaintext);
        if (await replaceKeyringFile(path, file, before.stamp, signal)) {
          this.#replace({ stamp: null, digest: engine.sha512(file), passphrase, entries });
          return facts;
        }
      } finally {
        if (this.#opened?.entries !== entries) wipeEntries(entries);
      }
    }
    throw new KeyboundError(
      'unavailable',
      `keyring ${path} was changed by others ${String(maxRounds)} times before this change could be made: repeat it`,
      { details: { keyring: path, reason: 'contention' } },
    );
  }

  /** Runs `use` on the file's content as it is now (null: no file), in the very turn in which that was seen. */
  #whileFresh<T>(signal: AbortSignal | undefined, use: (opened: Opened | null) => T): Promise<T> {
    const run = async (): Promise<T> => {
      for (;;) {
        checkSignal(signal);
        const stamp = await stampOf(this.#options.path);
        checkSignal(signal);
        if (stamp === null) {
          this.#replace(null);
          return use(null);
        }
        if (stamp === this.#opened?.stamp) return use(this.#opened);
        await this.#open(stamp);
      }
    };
    return withSignal(run(), signal);
  }

  /** One at a time, for all who wait; each then sees for itself whether that was the file it wants. */
  #open(stamp: string): Promise<void> {
    this.#opening ??= this.#openNow(stamp).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openNow(stamp: string): Promise<void> {
    const { path } = this.#options;
    const file = await readKeyringFile(path);
    if (file === null) return;
    const digest = engine.sha512(file);
    if (this.#opened !== null && sameBytes(this.#opened.digest, digest)) {
      this.#opened = { ...this.#opened, stamp };
      return;
    }
    const passphrase = await this.#options.passphrase();
    const plaintext = await decryptWithPassphrase(file, passphrase).catch((error: unknown) => {
      throw new KeyboundError(
        'keyring-invalid',
        `cannot open keyring ${path}: the passphrase is wrong, or the file was altered; check the passphrase, ` +
          'or restore the file',
        { details: { keyring: path }, cause: error },
      );
    });
    try {
      this.#replace({ stamp, digest, passphrase, entries: parseKeyring(plaintext, path) });
    } finally {
      wipe(plaintext);
    }
  }

  /** Wipes the former one. Nobody is using it: every use ends in the turn in which it began. */
  #replace(opened: Opened | null): void {
    if (this.#opened !== null) wipeEntries(this.#opened.entries);
    this.#opened = opened;
  }

  #missing(): never {
    const { path } = this.#options;
    throw new KeyboundError('misconfigured', `there is no keyring at ${path}: create one with createKey`, {
      details: { keyring: path },
    });
  }
}
