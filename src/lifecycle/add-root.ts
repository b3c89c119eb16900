import { type RootKey } from '../binding/roots.js';
import { base64url, fromUtf8 } from '../internal/bytes.js';
import { signalOption } from '../internal/options.js';
import { type KeyPolicy, normalisePolicy } from '../keys/policy.js';
import { piece } from '../storage/bytes.js';
import { signingKeyPlace } from '../storage/layout.js';
import { type Region } from '../storage/regions.js';
import { type Installation } from './installation.js';
import { newRoot } from './root-key.js';

/** Which root a process signs with, and how its seed is unwrapped. All of it is safe to keep in a configuration. */
export interface SigningOptions {
  /** The root's public key, as in `roots`. */
  readonly publicKey: string;
  /** The region where it was made. */
  readonly region: string;
  readonly key: KeyPolicy;
  /** The wrapped seed, if it is not in the region's store: what was given when an offline root was made. */
  readonly wrapped?: string;
}

/** A root that was just made. Nobody believes it before it is pinned. */
export interface NewRoot {
  /** To add to `roots`, wherever the registry is opened, before anything is signed with it. */
  readonly root: RootKey;
  /** To give as `signing` in processes that administer the registry. */
  readonly signing: SigningOptions;
}

/**
 * Makes a root signing key, wrapped under a key policy of the service's own. Its wrapped seed is stored in the region,
 * or, if it is to be kept offline, given as `signing.wrapped` and stored nowhere.
 */
export async function makeRoot(
  { engine, kms, providers, registry }: Pick<Installation, 'engine' | 'kms' | 'providers' | 'registry'>,
  region: Region,
  key: KeyPolicy,
  offline: boolean,
  signal: AbortSignal | undefined,
): Promise<NewRoot> {
  // The service's own key: no owner is meant to hold a switch on it.
  const policy = normalisePolicy(engine, key, providers, true);
  const made = await newRoot(engine, kms, registry, region, policy, signal);
  if (!offline) {
    await region.store.put(signingKeyPlace(registry, made.kid), piece(made.wrapped), {
      if: 'absent',
      ...signalOption(signal),
    });
  }
  const publicKey = base64url.encode(made.publicKey);
  return {
    root: { publicKey, status: 'active' },
    signing: {
      publicKey,
      region: region.name,
      key,
      ...(offline ? { wrapped: fromUtf8(made.wrapped) } : {}),
    },
  };
}
