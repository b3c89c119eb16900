import { resolve } from 'node:path';
import { KeyboundError } from '../../../errors.js';
import { checkOptions } from '../../../internal/options.js';
import { shape, type Shape } from '../../../internal/shape.js';
import { type CallOptions, type KeyProvider } from '../../provider.js';
import { workFactors } from './age-file.js';
import { type KeyFacts } from './keyring-changes.js';
import { type KeyState } from './keyring-content.js';
import { Keyring } from './keyring.js';
import { providerOf } from './provider.js';
import { checkName, uriOf } from './uri.js';

export interface LocalKeyringOptions {
  /**
   * Opens the keyring, and encrypts it when it is first made: a string, or a function that gives it. The function is
   * called when the file has to be decrypted, at most once each time. Undefined or empty means that the keyring stays
   * locked: every use is `keyring-locked`. Taken as it is, also a final line break. It withstands guessing only
   * if it is hard to guess: five random words at least. In memory as long as the keyring is open.
   */
  readonly passphrase?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * log2 of scrypt's N for files that are written: each step doubles the time and memory of a guess, and of opening
   * the file. 10 to 20. 18 takes 256 MiB and 1.3 to 1.9 s of this process's only JavaScript thread (20: 1 GiB and 6
   * to 8 s) for each decryption and each encryption; less is for tests.
   *
   * @default 18
   */
  readonly workFactor?: number | undefined;
}

/** What is known of a key of a keyring. */
export interface LocalKeyInfo {
  readonly name: string;
  /** Its key URI, `local://name`. */
  readonly uri: string;
  readonly state: 'enabled' | 'disabled' | 'destroyed';
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/**
 * A key provider over a keyring file, and the verbs of its administrator. Each verb resolves with the key as it then
 * is, once that is durable; an aborted one may have been done or not.
 *
 * Errors, of the provider too: `keyring-locked` (no passphrase), `keyring-invalid` (wrong passphrase, or an altered
 * file), `misconfigured` (no file, no access), `unavailable` (retryable: the file system failed).
 */
export interface LocalKeyring extends KeyProvider {
  /** Creates a key, and the file if there is none. A name is never used again: `invalid-argument` if it was. */
  createKey(name: string, options?: CallOptions): Promise<LocalKeyInfo>;
  /** All keys, destroyed ones too, in the order of creation. */
  listKeys(options?: CallOptions): Promise<LocalKeyInfo[]>;
  /** Makes the key refuse everything as `key-revoked`, from the next call of every process on. */
  disableKey(name: string, options?: CallOptions): Promise<LocalKeyInfo>;
  /** Makes a disabled key work again. `key-destroyed` if there is nothing left to enable. */
  enableKey(name: string, options?: CallOptions): Promise<LocalKeyInfo>;
  /** Takes the key's bytes out of the file, for good. Copies of the file, such as backups, still hold them. */
  destroyKey(name: string, options?: CallOptions): Promise<LocalKeyInfo>;
}

type Passphrase = NonNullable<LocalKeyringOptions['passphrase']>;

const passphraseShape: Shape<Passphrase> = (value, path, fail) =>
  typeof value === 'function'
    ? // What it returns is checked when it does.
      (value as Exclude<Passphrase, string>)
    : shape.string(value, path, fail);

const optionsShape = shape.object({
  passphrase: shape.optional(passphraseShape),
  workFactor: shape.optional(shape.integer(workFactors.min, workFactors.max)),
});

const refuse = (message: string): never => {
  throw new KeyboundError('invalid-argument', message);
};

async function askFor(passphrase: Passphrase | undefined, path: string): Promise<string> {
  const locked = (what: string, cause?: unknown): KeyboundError =>
    new KeyboundError(
      'keyring-locked',
      `keyring ${path} is locked: ${what}; give it as localKeyring(path, { passphrase })`,
      { details: { keyring: path }, cause },
    );
  let text: unknown;
  try {
    text = typeof passphrase === 'function' ? await passphrase() : passphrase;
  } catch (error) {
    if (error instanceof KeyboundError) throw error;
    throw locked('the function that gives its passphrase failed', error);
  }
  if (text === undefined || text === '') {
    throw locked(text === '' ? 'its passphrase is empty' : 'no passphrase was given');
  }
  return shape.string(text, 'the passphrase', refuse);
}

const infoOf = (facts: KeyFacts): LocalKeyInfo => ({ ...facts, uri: uriOf(facts.name) });

/**
 * A provider of `local://` keys kept in a file, encrypted with a passphrase in the format of `age`
 * (`age --decrypt` opens it), and the verbs that administer them. For development, single machines and services that
 * are their own KMS: whoever has the file and the passphrase has the keys.
 *
 * The file (mode 0600, owned by whoever changed it last) is read again when it changed, so that a key that was
 * disabled or destroyed by any process fails on the very next call here. Changes by several processes are kept apart
 * by `<path>.lock` and staged in `<path>.tmp`. No I/O until first used. Throws `invalid-argument`.
 *
 * @param path of the file; a relative one is resolved now
 */
export function localKeyring(path: string, options: LocalKeyringOptions = {}): LocalKeyring {
  // The type promises a string; callers of plain JavaScript do not.
  const given: unknown = path;
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    return refuse(`expected the path of a keyring file, got ${given === '' ? 'an empty one' : typeof given}`);
  }
  const { passphrase, workFactor = workFactors.default } = optionsShape(options, 'options', refuse);
  const file = resolve(given);
  const keyring = new Keyring({ path: file, workFactor, passphrase: () => askFor(passphrase, file) });

  const signalOf = (options: CallOptions = {}): AbortSignal | undefined => {
    checkOptions(options, 'a verb of the keyring', ['signal']);
    return options.signal;
  };
  const turn = async (name: string, state: KeyState, options?: CallOptions): Promise<LocalKeyInfo> =>
    infoOf(await keyring.turn(checkName(name), state, signalOf(options)));

  return {
    ...providerOf(keyring),
    createKey: async (name, options) => infoOf(await keyring.create(checkName(name), signalOf(options))),
    listKeys: async (options) => (await keyring.list(signalOf(options))).map(infoOf),
    disableKey: (name, options) => turn(name, 'disabled', options),
    enableKey: (name, options) => turn(name, 'enabled', options),
    destroyKey: (name, options) => turn(name, 'destroyed', options),
  };
}
