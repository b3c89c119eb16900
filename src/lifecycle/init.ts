import { type RootKey } from '../binding/roots.js';
import { engine } from '#engine';
import { checkListener, type EventListener, quietly } from '../events.js';
import { base64url, fromUtf8, toHex } from '../internal/bytes.js';
import { checkOptions, signalOption } from '../internal/options.js';
import { Kms } from '../keys/kms.js';
import { KeyProviders, type KeyPolicy, normalisePolicy } from '../keys/policy.js';
import { type KeyProvider } from '../keys/provider.js';
import { piece } from '../storage/bytes.js';
import { signingKeyPlace } from '../storage/layout.js';
import { type RegionOptions, Regions } from '../storage/regions.js';
import { newRoot } from './root-key.js';

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

/** Which root a process signs with, and how its seed is unwrapped. All of it is safe to keep in a configuration. */
export interface SigningOptions {
  /** The root's public key, as in `roots`. */
  readonly publicKey: string;
  /** The region of `init`. */
  readonly region: string;
  readonly key: KeyPolicy;
  /** The wrapped seed, if it is not in the region's store: what `init` gave as `recovery.wrapped`. */
  readonly wrapped?: string;
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
  // The service's own keys: no owner is meant to hold a switch on them.
  const policy = normalisePolicy(engine, options.key, providers, true);
  const recoveryPolicy = normalisePolicy(engine, options.recoveryKey, providers, true);
  await regions.prove(region);
  const root = await newRoot(engine, kms, registry, region, policy, signal);
  const recovery = await newRoot(engine, kms, registry, region, recoveryPolicy, signal);
  await region.store.put(signingKeyPlace(registry, root.kid), piece(root.wrapped), {
    if: 'absent',
    ...signalOption(signal),
  });
  const [publicKey, recoveryPublicKey] = [root, recovery].map((one) => base64url.encode(one.publicKey)) as [
    string,
    string,
  ];
  return {
    config: {
      registry,
      roots: [
        { publicKey, status: 'active' },
        { publicKey: recoveryPublicKey, status: 'active' },
      ],
      signing: { publicKey, region: region.name, key: options.key },
    },
    recovery: {
      publicKey: recoveryPublicKey,
      region: region.name,
      key: options.recoveryKey,
      wrapped: fromUtf8(recovery.wrapped),
    },
  };
}
