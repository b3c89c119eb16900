import { engine } from '#engine';
import { Chains, type VerifiedBinding } from './binding/chain.js';
import { pinRoots, type PinnedRoot, type RootKey } from './binding/roots.js';
import { formatTrust, parseTrust, type TrustMarks } from './binding/trust.js';
import { KeyboundError } from './errors.js';
import { checkListener, type EventListener, quietly } from './events.js';
import { checkId, checkNamespace, namespacePattern } from './format/names.js';
import { base64url, fromHex, utf8 } from './internal/bytes.js';
import { systemClock } from './internal/clock.js';
import { checkOptions, signalOption } from './internal/options.js';
import { Kms } from './keys/kms.js';
import { Leases } from './keys/leases.js';
import { KeyProviders, type KeyPolicy, normalisePolicy } from './keys/policy.js';
import { type KeyProvider } from './keys/provider.js';
import { createNamespace, type CreateOptions } from './lifecycle/create.js';
import { makeRoot, type NewRoot, type SigningOptions } from './lifecycle/add-root.js';
import { signAgain } from './lifecycle/change.js';
import { type Installation, type Signing } from './lifecycle/installation.js';
import { rootSigner } from './lifecycle/root-key.js';
import { maxLeaseMs, type NamespaceLease } from './lifecycle/lease.js';
import { notFound } from './lifecycle/status.js';
import {
  type CallOptions,
  describeBinding,
  Namespace,
  type NamespaceDescription,
} from './namespace/namespace.js';
import { Session } from './namespace/session.js';
import { namespacesFolder } from './storage/layout.js';
import { type RegionOptions, Regions } from './storage/regions.js';

export interface KeyboundOptions {
  /** The registry's id, from `initRegistry`. */
  readonly registry: string;
  /** The root public keys that this process believes. */
  readonly roots: readonly RootKey[];
  /** What the service's regions are. */
  readonly regions: Readonly<Record<string, RegionOptions>>;
  /** One provider for each kind of KMS in use. */
  readonly keys: readonly KeyProvider[];
  /** Needed by administrative verbs only; readers and writers do without. */
  readonly signing?: SigningOptions;
  /** Remembers the newest trusted epochs beyond the life of the process, which remembers them in any case. */
  readonly marks?: TrustMarks;
  /** Told of everything that happens to keys. */
  readonly onEvent?: EventListener;
}

export interface OpenOptions extends CallOptions {
  /** One of the configured regions; may be left out when there is only one. */
  readonly region?: string;
  /** What an administrative verb printed: nothing older than that epoch is believed. */
  readonly trust?: string;
  /** Hex of 16 bytes: the instance meant, if one of another instance was seen before. */
  readonly instance?: string;
}

export interface AddRootOptions extends CallOptions {
  /** Key policy of the service's own that wraps the root's seed. */
  readonly key: KeyPolicy;
  /** Where the wrapped seed is stored; may be left out when there is only one region. */
  readonly region?: string;
  /** Store the wrapped seed nowhere, but give it as `signing.wrapped`. @default false */
  readonly offline?: boolean;
}

/** What became of one namespace while its chains were signed again. */
export interface SignedAgain {
  readonly id: string;
  readonly region: string;
  /** Whether an epoch was added; false if the root had signed the newest one already, or if it failed. */
  readonly signed: boolean;
  /** Of the newest epoch; absent if it failed. */
  readonly trust?: string;
  /** Why it failed: the others go on. */
  readonly error?: KeyboundError;
}

export interface ListNamespacesOptions extends CallOptions {
  readonly region?: string;
}

/**
 * Opens a registry for use. Validates everything it is given and does no I/O; what cannot be told without is told at
 * first use. Errors: `invalid-argument`, `misconfigured`.
 */
export function openKeybound(options: KeyboundOptions): Keybound {
  return new Keybound(options);
}

/** One open registry. From {@link openKeybound}; make one per process and share it. */
export class Keybound {
  /** The registry's id: 32 hex digits. */
  readonly registry: string;
  readonly #installation: Installation;
  readonly #leases: Leases<NamespaceLease>;
  readonly #roots: readonly PinnedRoot[];

  /** @internal */
  constructor(options: KeyboundOptions) {
    checkOptions(options, 'openKeybound', [
      'registry',
      'roots',
      'regions',
      'keys',
      'signing',
      'marks',
      'onEvent',
    ]);
    const registry = checkId(options.registry, 'a registry id');
    checkListener(options.onEvent);
    checkMarks(options.marks);
    const roots = pinRoots(engine, options.roots);
    const regions = new Regions(options.regions);
    const providers = new KeyProviders(options.keys);
    const emit = quietly(options.onEvent);
    const kms = new Kms(engine, providers, emit);
    const chains = new Chains({
      engine,
      registry,
      roots,
      marks: options.marks,
      emit,
      regions: regions.names,
      storeOf: (region) => regions.proven(region),
    });
    this.registry = registry;
    this.#roots = [...roots.values()];
    this.#leases = new Leases(systemClock, maxLeaseMs);
    this.#installation = {
      engine,
      registry,
      regions,
      providers,
      kms,
      chains,
      clock: systemClock,
      emit,
      signing:
        options.signing === undefined ? undefined : checkSigning(options.signing, roots, regions, providers),
    };
  }

  /**
   * Makes a namespace, bound to a key policy and a region. Needs `signing`. Errors: `namespace-exists`,
   * `no-signing-key`, `owner-cannot-revoke`, `region-mismatch`, `store-unsupported`, and what the KMS says.
   */
  async create(id: string, options: CreateOptions): Promise<Namespace> {
    return this.#namespace(await createNamespace(this.#installation, id, options));
  }

  /**
   * A handle on a namespace that exists: reads and verifies its binding, asks no KMS. Errors: `namespace-not-found`,
   * the `binding-…` codes, `root-not-trusted`, `instance-changed`.
   */
  async open(id: string, options: OpenOptions = {}): Promise<Namespace> {
    checkOptions(options, 'open', ['region', 'trust', 'instance', 'signal']);
    const namespace = checkNamespace(id);
    const { name: region } = this.#installation.regions.get(options.region);
    const { chains } = this.#installation;
    const subject = { namespace, region };
    const binding = await chains.read(subject, {
      ...signalOption(options.signal),
      ...(options.trust === undefined ? {} : { trust: parseTrust(options.trust) }),
      ...(options.instance === undefined
        ? {}
        : { instance: base64url.encode(fromHex(checkId(options.instance, 'an instance'))) }),
    });
    if (binding === null) throw notFound(subject);
    return this.#namespace(binding);
  }

  /**
   * Looks for a namespace in every region. Gives its verified description in each region that has it: usually one, more
   * after a move. Errors: as {@link open}; a region out of reach fails the whole.
   */
  async locate(id: string, options: CallOptions = {}): Promise<NamespaceDescription[]> {
    checkOptions(options, 'locate', ['signal']);
    const namespace = checkNamespace(id);
    const { chains, regions } = this.#installation;
    const found = await Promise.all(
      regions.names.map((region) => chains.read({ namespace, region }, signalOption(options.signal))),
    );
    return found.flatMap((binding) => (binding === null ? [] : [describeBinding(binding)]));
  }

  /** Ids of the namespaces in a region, as its store lists them: not verified before they are opened. */
  async *list(options: ListNamespacesOptions = {}): AsyncGenerator<string> {
    checkOptions(options, 'list', ['region', 'signal']);
    const { regions, registry } = this.#installation;
    const store = await regions.proven(options.region);
    let cursor: string | undefined;
    do {
      const page = await store.folders(namespacesFolder(registry), {
        ...signalOption(options.signal),
        ...(cursor === undefined ? {} : { cursor }),
      });
      // Whatever else lies there is no namespace.
      yield* page.entries.filter((id) => namespacePattern.test(id));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** Whether it has a root to sign with, so that administrative verbs can be called. */
  get canSign(): boolean {
    return this.#installation.signing !== undefined;
  }

  /** The roots that this process believes, with their key ids (32 hex digits). */
  get roots(): (RootKey & { readonly kid: string })[] {
    return this.#roots.map(({ kid, publicKey, status }) => ({ kid, publicKey, status }));
  }

  /**
   * Makes another root signing key. Nothing believes it before it is in `roots`: pin it in every process first, then
   * sign with it. Errors: `misconfigured`, `region-mismatch`, `store-…` and what the KMS says.
   */
  async addRoot(options: AddRootOptions): Promise<NewRoot> {
    checkOptions(options, 'addRoot', ['key', 'region', 'offline', 'signal']);
    const { offline = false }: { offline?: unknown } = options;
    if (typeof offline !== 'boolean') {
      throw new KeyboundError('invalid-argument', 'expected offline to be true or false');
    }
    const { regions } = this.#installation;
    const region = regions.get(options.region);
    await regions.prove(region);
    return makeRoot(this.#installation, region, options.key, offline, options.signal);
  }

  /**
   * Signs the chain of every namespace in a region again with `signing`'s root, where another root signed the newest
   * epoch: what must come before that other root is pinned as `retired`. Takes no owner's key. Resumable: what is done
   * already is left as it is, and a namespace that fails does not hold up the others. Needs `signing`. Errors:
   * `no-signing-key`, `store-…` and what the KMS of the signing key says.
   */
  async *signAgain(options: ListNamespacesOptions = {}): AsyncGenerator<SignedAgain> {
    checkOptions(options, 'signAgain', ['region', 'signal']);
    const { signal } = options;
    const { name: region } = this.#installation.regions.get(options.region);
    const root = await rootSigner(this.#installation, signal);
    for await (const id of this.list({ region, ...signalOption(signal) })) {
      try {
        const done = await signAgain(this.#installation, { namespace: id, region }, root, signal);
        if (done !== null) yield { id, region, signed: done.signed, trust: formatTrust(done.binding.trust) };
      } catch (error) {
        if (!(error instanceof KeyboundError) || error.code === 'aborted') throw error;
        yield { id, region, signed: false, error };
      }
    }
  }

  /** Ends all leases and zeroes their keys. Handles stay usable: their next use obtains a new lease. */
  purge(): void {
    this.#leases.purgeAll();
  }

  #namespace({ payload: { namespace, region, instance }, trust }: VerifiedBinding): Namespace {
    const session = new Session(this.#installation, this.#leases, { namespace, region }, instance);
    return new Namespace(session, formatTrust(trust));
  }
}

function checkMarks(marks: unknown): void {
  const given = marks as Partial<Record<keyof TrustMarks, unknown>> | undefined | null;
  if (given === undefined || (typeof given?.get === 'function' && typeof given.set === 'function')) return;
  throw new KeyboundError('invalid-argument', 'expected marks to have the methods get and set');
}

function checkSigning(
  signing: SigningOptions,
  roots: ReadonlyMap<string, PinnedRoot>,
  regions: Regions,
  providers: KeyProviders,
): Signing {
  checkOptions(signing, 'signing', ['publicKey', 'region', 'key', 'wrapped']);
  const { wrapped }: { wrapped?: unknown } = signing;
  if (wrapped !== undefined && typeof wrapped !== 'string') {
    throw new KeyboundError('invalid-argument', `expected signing.wrapped to be text, got ${typeof wrapped}`);
  }
  const root = [...roots.values()].find((one) => one.publicKey === signing.publicKey);
  if (root?.status !== 'active') {
    throw new KeyboundError(
      'invalid-argument',
      'expected signing.publicKey to be that of an active root in `roots`',
    );
  }
  return {
    root,
    region: regions.get(signing.region).name,
    policy: normalisePolicy(engine, signing.key, providers, true),
    wrapped: wrapped === undefined ? undefined : utf8(wrapped),
  };
}
