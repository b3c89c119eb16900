import { type RootKey } from '../binding/roots.js';
import { engine } from '#engine';
import { checkListener, type EventListener, quietly } from '../events.js';
import { toHex } from '../internal/bytes.js';
import { checkOptions } from '../internal/options.js';
import { Kms } from '../keys/kms.js';
import { KeyProviders, type KeyPolicy, normalisePolicy } from '../keys/policy.js';
import { type KeyProvider } from '../keys/provider.js';
import { type RegionOptions, Regions } from '../storage/regions.js';
import { makeRoot, type SigningOptions } from './add-root.js';

export interface InitOptions {
  /** Where the root's wrapped seed is stored: one of `regions`, which may be left out when there is only one. */
  readonly region?: string;
  readonly regions: Readonly<Record<string, RegionOptions>>;
  /** The KMSs that `key` and `recoveryKey` name. */
  readonly keys: readonly KeyProvider[];
  /** Key policy of the service's own that wraps the root signing key. */
  readonly key: KeyPolicy;
  /** Another one, for the recovery root: ideally a key that is itself kept offline. */
  readonly recoveryKey: KeyPolicy;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** What a process that administers the registry is configured with; readers and writers leave out `signing`. */
export interface RegistryConfig {
  /** Hex of 16 random bytes. */
  readonly registry: string;
  /** The root and the recovery root, both active. */
  readonly roots: readonly RootKey[];
  readonly signing: SigningOptions;
}

export interface NewRegistry {
  /** To keep, and to spread into `openKeybound`. Holds no secret. */
  readonly config: RegistryConfig;
  /**
   * The recovery root, whose wrapped seed is stored nowhere: write this down, keep it offline, and give it as `signing`
   * when the first root is lost.
   */
  readonly recovery: Required<SigningOptions>;
}

/**
 * Makes a registry: its id, a root signing key wrapped under `key` and stored in `region`, and an offline recovery
 * root wrapped under `recoveryKey`. Call once per installation. Errors: `invalid-argument`, `misconfigured`,
 * `region-mismatch`, `store-…` and what the KMSs say; nothing is left behind that matters if it fails.
 */
export async function initRegistry(options: InitOptions): Promise<NewRegistry> {
  checkOptions(options, 'initRegistry', [
    'region',
    'regions',
    'keys',
    'key',
    'recoveryKey',
    'onEvent',
    'signal',
  ]);
  checkListener(options.onEvent);
  const { signal } = options;
  const regions = new Regions(options.regions);
  const region = regions.get(options.region);
  const providers = new KeyProviders(options.keys);
  const kms = new Kms(engine, providers, quietly(options.onEvent));
  const registry = toHex(engine.randomBytes(16));
  const parts = { engine, kms, providers, registry };
  // Both checked before anything is done.
  for (const policy of [options.key, options.recoveryKey]) normalisePolicy(engine, policy, providers, true);
  await regions.prove(region);
  const root = await makeRoot(parts, region, options.key, false, signal);
  const recovery = await makeRoot(parts, region, options.recoveryKey, true, signal);
  const { wrapped = '' } = recovery.signing;
  return {
    config: { registry, roots: [root.root, recovery.root], signing: root.signing },
    recovery: { ...recovery.signing, wrapped },
  };
}
