/*
 * From a configuration file to an open registry.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Keybound,
  KeyboundError,
  type Namespace,
  openKeybound,
  type OpenOptions,
  parseKeyPolicy,
  type RegionOptions,
  type SigningOptions,
} from 'keybound';
import { fileStore } from 'keybound/file';
import { localKeyring, type LocalKeyring } from 'keybound/local';
import { type Config, parseConfig, parseSigning, readText, type SigningConfig } from './config.js';
import { type Io } from './io.js';
import { hints } from './output.js';
import { fileMarks } from './marks.js';

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string;
  readonly region?: string;
  readonly signing?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The passphrase, from the environment or a person, asked for once; undefined if there is neither. */
export function passphraseOf(io: Io, path: string): () => Promise<string | undefined> {
  let asked: Promise<string | undefined> | undefined;
  const ask = async (): Promise<string | undefined> => {
    const given = io.env['KEYBOUND_PASSPHRASE'];
    if (given !== undefined && given !== '') return given;
    if (io.askSecret === undefined) {
      throw new KeyboundError(
        'keyring-locked',
        `keyring ${path} needs its passphrase: ${hints['keyring-locked']}`,
        { details: { keyring: path } },
      );
    }
    const isNew = !existsSync(path);
    const passphrase = await io.askSecret(
      isNew ? `New passphrase for ${path}: ` : `Passphrase for ${path}: `,
    );
    if (isNew && passphrase !== (await io.askSecret('The same again: '))) {
      throw new KeyboundError('keyring-locked', 'the two passphrases differ');
    }
    return passphrase;
  };
  return () => (asked ??= ask());
}

/** The folder of a store URL, relative to `base`. Throws `misconfigured`. */
export function folderOf(url: string, base: string): string {
  try {
    return url.startsWith('file://') ? fileURLToPath(url) : resolve(base, url.slice('file:'.length));
  } catch {
    throw new KeyboundError(
      'misconfigured',
      'expected a store URL such as file:store-eu or file:///srv/store-eu, got something else',
    );
  }
}

/** Regions as the library takes them. */
export const regionsOf = (config: Pick<Config, 'regions'>, base: string): Record<string, RegionOptions> =>
  Object.fromEntries(
    Object.entries(config.regions).map(([name, { store, keyLocations }]) => [
      name,
      { store: fileStore(folderOf(store, base)), keyLocations },
    ]),
  );

export function signingOf({ publicKey, region, key, wrapped }: SigningConfig): SigningOptions {
  const policy = parseKeyPolicy(key);
  return { publicKey, region, key: policy, ...(wrapped === undefined ? {} : { wrapped }) };
}

/** A configuration file, read, and what it leads to. */
export class Setup {
  readonly path: string;
  /** What paths in it are relative to. */
  readonly base: string;
  readonly text: string;
  readonly config: Config;
  readonly #io: Io;
  readonly #globals: GlobalOptions;
  #keyring: LocalKeyring | undefined;

  private constructor(io: Io, globals: GlobalOptions, path: string, text: string) {
    this.#io = io;
    this.#globals = globals;
    this.path = path;
    this.base = dirname(path);
    this.text = text;
    this.config = parseConfig(text, path);
  }

  /** Where the configuration is. */
  static pathOf(io: Io, { config }: GlobalOptions): string {
    return resolve(io.cwd, config ?? io.env['KEYBOUND_CONFIG'] ?? 'keybound.json');
  }

  /** Throws `misconfigured`. */
  static async load(io: Io, globals: GlobalOptions): Promise<Setup> {
    const path = Setup.pathOf(io, globals);
    const text = await readText(path);
    if (text !== null) return new Setup(io, globals, path, text);
    throw new KeyboundError(
      'misconfigured',
      `there is no configuration at ${path}: make one with \`keybound init\`, or name it with --config`,
    );
  }

  get regionNames(): string[] {
    return Object.keys(this.config.regions);
  }

  /** The regions meant: the one named, or all. */
  get regionsMeant(): string[] {
    const { region } = this.#globals;
    return region === undefined ? this.regionNames : [region];
  }

  /** The keyring of `local://` keys. Throws `misconfigured` if there is none. */
  keyring(): LocalKeyring {
    const { local } = this.config.keys;
    if (local === undefined) {
      throw new KeyboundError(
        'misconfigured',
        `${this.path} names no keyring: add one at keys.local.keyring`,
      );
    }
    const path = resolve(this.base, local.keyring);
    this.#keyring ??= localKeyring(path, {
      passphrase: passphraseOf(this.#io, path),
      workFactor: local.workFactor,
    });
    return this.#keyring;
  }

  /** The registry, opened. `signing`: with a root to sign with, which may not be `otherThan` this public key. */
  async open(options: { signing?: boolean; otherThan?: string; marks?: boolean } = {}): Promise<Keybound> {
    const { config } = this;
    const signing = options.signing === true ? await this.#signing(options.otherThan) : undefined;
    return openKeybound({
      registry: config.registry,
      roots: config.roots,
      regions: regionsOf(config, this.base),
      keys: [this.keyring()],
      ...(signing === undefined ? {} : { signing }),
      ...(config.marks === undefined || options.marks === false
        ? {}
        : { marks: fileMarks(resolve(this.base, config.marks)) }),
    });
  }

  /** The first root that may sign: of the file given with --signing, or of the configuration. */
  async #signing(otherThan: string | undefined): Promise<SigningOptions | undefined> {
    const { signing: file } = this.#globals;
    const given = file === undefined ? (this.config.signing ?? []) : [await this.#signingFile(file)];
    const isActive = (publicKey: string): boolean =>
      this.config.roots.some((root) => root.publicKey === publicKey && root.status === 'active');
    const usable = given.find(({ publicKey }) => publicKey !== otherThan && isActive(publicKey));
    return usable === undefined ? undefined : signingOf(usable);
  }

  async #signingFile(name: string): Promise<SigningConfig> {
    const path = resolve(this.#io.cwd, name);
    const text = await readText(path);
    if (text !== null) return parseSigning(text, path);
    throw new KeyboundError('misconfigured', `there is no file ${path} for --signing`);
  }

  /** A namespace of the region named, or of the one that has it. */
  async namespace(
    id: string,
    options: { signing?: boolean; trust?: string | undefined; instance?: string | undefined } = {},
  ): Promise<Namespace> {
    const keybound = await this.open({ signing: options.signing === true });
    const { signal } = this.#io;
    const given: OpenOptions = {
      signal,
      ...(options.trust === undefined ? {} : { trust: options.trust }),
      ...(options.instance === undefined ? {} : { instance: options.instance }),
    };
    const { region } = this.#globals;
    if (region !== undefined) return keybound.open(id, { ...given, region });
    if (this.regionNames.length === 1) return keybound.open(id, given);
    if (options.trust !== undefined || options.instance !== undefined) {
      throw new KeyboundError(
        'invalid-argument',
        'expected --region with --trust or --instance, as there are several',
      );
    }
    const found = (await keybound.locate(id, { signal })).filter(({ status }) => status !== 'moved');
    const [only, second] = found;
    if (only !== undefined && second === undefined)
      return keybound.open(id, { ...given, region: only.region });
    throw new KeyboundError(
      only === undefined ? 'namespace-not-found' : 'invalid-argument',
      only === undefined
        ? `namespace ${id} does not exist in any region (${this.regionNames.join(', ')})`
        : `expected --region, as namespace ${id} is in several: ${found.map((one) => one.region).join(', ')}`,
      { details: { namespace: id } },
    );
  }
}
