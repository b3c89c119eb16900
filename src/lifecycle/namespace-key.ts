/*
 * A generation's namespace key: made, wrapped and stored, or fetched, unwrapped and checked.
 */
import { type VerifiedBinding } from '../binding/chain.js';
import { keyId } from '../binding/roots.js';
import { type Signer } from '../binding/jws.js';
import { signingKeyFromSeed, type SigningKey } from '../crypto/ed25519.js';
import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { currentPolicy, type Generation, type Policy } from '../format/binding-payload.js';
import { encodeIdentity, identityClass, IdentityDigest, type NamespaceIdentity } from '../format/identity.js';
import { deriveSubkey } from '../format/namespace-key.js';
import { keyLength } from '../format/object-header.js';
import { encodeWrapObject, parseWrapObject, wrapLimits } from '../format/wrap-object.js';
import { base64url, sameBytes, toHex, utf8, wipe } from '../internal/bytes.js';
import { signalOption } from '../internal/options.js';
import { kmsContext, type SecretUse } from '../keys/kms.js';
import { getSmall, piece } from '../storage/bytes.js';
import { wrapPlace } from '../storage/layout.js';
import { type ObjectKey } from '../storage/store.js';
import { type Installation, keyLocationsOf } from './installation.js';

function secretUse(
  installation: Installation,
  identity: NamespaceIdentity,
  generation: number,
  signal?: AbortSignal,
): SecretUse {
  const subject: EventSubject = { namespace: identity.namespace, region: identity.region };
  const name = utf8(String(generation));
  const digest = new IdentityDigest(
    installation.engine,
    encodeIdentity(identityClass.namespaceKey, identity, name),
  );
  return {
    subject,
    purpose: 'namespace-key',
    kmsContext: kmsContext(installation.registry, subject, 'namespace-key'),
    sealContext: digest.context('namespace-key'),
    keyLocations: keyLocationsOf(installation, subject),
    signal,
  };
}

/** The Ed25519 key by which this generation vouches for the epoch after it. */
async function continuityKey(
  installation: Installation,
  namespaceKey: Uint8Array,
  identity: NamespaceIdentity,
  generation: number,
): Promise<SigningKey> {
  const seed = deriveSubkey(installation.engine, namespaceKey, 'continuity', identity, generation);
  try {
    return await signingKeyFromSeed(seed);
  } finally {
    wipe(seed);
  }
}

export interface NewGeneration {
  readonly generation: Generation;
  /** Deletes the stored wraps: for when the epoch that was to name them was not created. */
  discard(): Promise<void>;
}

/**
 * Makes a fresh namespace key, wraps it, opens every wrap again and compares, and stores the wraps: all before an
 * epoch names them.
 */
export async function newGeneration(
  installation: Installation,
  identity: NamespaceIdentity,
  number: number,
  policy: Policy,
  signal?: AbortSignal,
): Promise<NewGeneration> {
  const { engine, kms, registry, regions } = installation;
  const use = secretUse(installation, identity, number, signal);
  const namespaceKey = engine.randomBytes(keyLength);
  try {
    const alternatives = await kms.wrap(policy, namespaceKey, use);
    await kms.verify(policy, alternatives, namespaceKey, use);
    const { publicKey } = await continuityKey(installation, namespaceKey, identity, number);
    const wrapObject = encodeWrapObject(alternatives);
    const hash = engine.sha512(wrapObject);
    const place = wrapPlace(registry, identity.namespace, number, toHex(hash));
    const { store } = regions.get(identity.region);
    await store.put(place, piece(wrapObject), { if: 'absent', ...signalOption(signal) });
    return {
      generation: {
        number,
        status: 'active',
        continuity: base64url.encode(publicKey),
        wrap: base64url.encode(hash),
      },
      discard: async () => {
        await store.delete(place);
      },
    };
  } finally {
    wipe(namespaceKey);
  }
}

/** The wraps that a verified epoch names are not there. A reader rereads the newest epoch, then gives up. */
export class WrapMissing extends Error {
  constructor(
    readonly subject: EventSubject,
    readonly place: ObjectKey,
  ) {
    super('wrap object missing');
  }

  /** For the caller, once rereading did not help. */
  toError(): KeyboundError {
    return new KeyboundError(
      'wrap-invalid',
      `namespace ${this.subject.namespace}: the wraps of a generation are missing (${this.place.folder}/${this.place.name.slice(0, 16)}…); restore that object`,
      { details: { ...this.subject } },
    );
  }
}

/**
 * Fetches and unwraps one generation's key, and checks that its public key is the one that the binding lists. The key is
 * the caller's to wipe. Throws the KMS's codes, `wrap-invalid`, or {@link WrapMissing}.
 */
export async function unwrapGeneration(
  installation: Installation,
  binding: VerifiedBinding,
  generation: Generation,
  signal?: AbortSignal,
): Promise<{ namespaceKey: Uint8Array; continuity: Signer }> {
  const { engine, kms, registry, regions } = installation;
  const { identity, payload } = binding;
  const subject = { namespace: identity.namespace, region: identity.region };
  const invalid = (what: string): KeyboundError =>
    new KeyboundError(
      'wrap-invalid',
      `namespace ${subject.namespace}: generation ${String(generation.number)}: ${what}; restore its wrap object, or treat as tampering`,
      { details: { ...subject, generation: generation.number } },
    );
  const hash = base64url.decode(generation.wrap);
  const place = wrapPlace(registry, subject.namespace, generation.number, toHex(hash));
  const stored = await getSmall(
    regions.get(subject.region).store,
    place,
    wrapLimits.size,
    signalOption(signal),
  );
  if (stored === null) throw new WrapMissing(subject, place);
  if (stored.content === null || !sameBytes(engine.sha512(stored.content), hash)) {
    throw invalid('its stored wraps are not those that the binding names');
  }
  const namespaceKey = await kms.unwrap(
    currentPolicy(payload),
    parseWrapObject(stored.content),
    secretUse(installation, identity, generation.number, signal),
  );
  const key = await continuityKey(installation, namespaceKey, identity, generation.number).catch(
    (error: unknown) => {
      wipe(namespaceKey);
      throw error;
    },
  );
  if (base64url.encode(key.publicKey) !== generation.continuity) {
    wipe(namespaceKey);
    throw invalid('it unwraps to another key than the one the binding lists');
  }
  return { namespaceKey, continuity: { kid: keyId(engine, key.publicKey), privateKey: key.privateKey } };
}
