import { type Chains } from '../binding/chain.js';
import { type PinnedRoot } from '../binding/roots.js';
import { type CryptoEngine } from '../crypto/engine.js';
import { type EventListener, type EventSubject } from '../events.js';
import { type Policy } from '../format/binding-payload.js';
import { type Clock } from '../internal/clock.js';
import { type Kms } from '../keys/kms.js';
import { type KeyProviders } from '../keys/policy.js';
import { type Regions } from '../storage/regions.js';

/** The root key that administrative verbs sign with. */
export interface Signing {
  readonly root: PinnedRoot;
  /** Where its wrapped seed lies, which is also part of its identity: the region of `init`. */
  readonly region: string;
  readonly policy: Policy;
  /** Its wrapped seed, if it is not in the region's store but was kept elsewhere. */
  readonly wrapped: Uint8Array | undefined;
}

/** The parts of one open registry, joined. */
export interface Installation {
  readonly engine: CryptoEngine;
  /** Lower-case hex of 16 bytes. */
  readonly registry: string;
  readonly regions: Regions;
  readonly providers: KeyProviders;
  readonly kms: Kms;
  readonly chains: Chains;
  readonly clock: Clock;
  readonly emit: EventListener;
  readonly signing: Signing | undefined;
}

/** KMS locations that a subject's region allows. */
export const keyLocationsOf = (installation: Installation, subject: EventSubject): readonly string[] =>
  installation.regions.get(subject.region).keyLocations;
