/*
 * Root signing keys: their seeds are wrapped under a key policy like everything else (design §4, class 4).
 */
import { type Signer } from '../binding/jws.js';
import { keyId } from '../binding/roots.js';
import { type CryptoEngine } from '../crypto/engine.js';
import { signingKeyFromSeed } from '../crypto/ed25519.js';
import { KeyboundError } from '../errors.js';
import { type Policy } from '../format/binding-payload.js';
import { encodeIdentity, identityClass, IdentityDigest } from '../format/identity.js';
import { keyLength } from '../format/object-header.js';
import { encodeWrapObject, parseWrapObject, wrapLimits } from '../format/wrap-object.js';
import { fromHex, utf8, wipe } from '../internal/bytes.js';
import { signalOption } from '../internal/options.js';
import { type Kms, kmsContext, type SecretUse } from '../keys/kms.js';
import { getSmall } from '../storage/bytes.js';
import { signingKeyPlace } from '../storage/layout.js';
import { type Region } from '../storage/regions.js';
import { type Installation, keyLocationsOf, type Signing } from './installation.js';

/** Not a namespace id by its grammar, so no namespace can be mistaken for it. */
const registrySubject = '_registry';

function secretUse(
  engine: CryptoEngine,
  registry: string,
  region: string,
  keyLocations: readonly string[],
  kid: string,
  signal?: AbortSignal,
): SecretUse {
  const subject = { namespace: registrySubject, region };
  const identity = { registry: fromHex(registry), ...subject, instance: new Uint8Array(16) };
  const digest = new IdentityDigest(engine, encodeIdentity(identityClass.signingKey, identity, utf8(kid)));
  return {
    subject,
    purpose: 'signing-key',
    kmsContext: kmsContext(registry, subject, 'signing-key'),
    sealContext: digest.context('signing-key'),
    keyLocations,
    signal,
  };
}

export interface WrappedRoot {
  readonly kid: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** A wrap object: safe to store anywhere, opened by the policy's keys only. */
  readonly wrapped: Uint8Array;
}

/** Makes a root key pair and wraps its seed; the seed itself never leaves this function. */
export async function newRoot(
  engine: CryptoEngine,
  kms: Kms,
  registry: string,
  region: Region,
  policy: Policy,
  signal?: AbortSignal,
): Promise<WrappedRoot> {
  const seed = engine.randomBytes(keyLength);
  try {
    const { publicKey } = await signingKeyFromSeed(seed);
    const kid = keyId(engine, publicKey);
    const use = secretUse(engine, registry, region.name, region.keyLocations, kid, signal);
    const alternatives = await kms.wrap(policy, seed, use);
    await kms.verify(policy, alternatives, seed, use);
    return { kid, publicKey, wrapped: encodeWrapObject(alternatives) };
  } finally {
    wipe(seed);
  }
}

/** The root as a signer, unwrapped for one use. Throws `no-signing-key`, `wrap-invalid` or the KMS's codes. */
export async function rootSigner(installation: Installation, signal?: AbortSignal): Promise<Signer> {
  const { engine, kms, registry, signing } = installation;
  if (signing === undefined) {
    throw new KeyboundError(
      'no-signing-key',
      'this process has no root signing key: give `signing` when opening the registry, or run the verb where it is given',
    );
  }
  const { kid } = signing.root;
  const wrapped = signing.wrapped ?? (await storedSeed(installation, signing, signal));
  const seed = await kms.unwrap(
    signing.policy,
    parseWrapObject(wrapped),
    secretUse(
      engine,
      registry,
      signing.region,
      keyLocationsOf(installation, { namespace: registrySubject, region: signing.region }),
      kid,
      signal,
    ),
  );
  try {
    const key = await signingKeyFromSeed(seed);
    if (keyId(engine, key.publicKey) === kid) return { kid, privateKey: key.privateKey };
  } finally {
    wipe(seed);
  }
  throw new KeyboundError('wrap-invalid', `the wrapped seed of root ${kid} is another key's`);
}

async function storedSeed(
  { registry, regions }: Installation,
  { root, region }: Signing,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { store } = regions.get(region);
  const place = signingKeyPlace(registry, root.kid);
  const stored = await getSmall(store, place, wrapLimits.size, signalOption(signal));
  if (stored?.content !== undefined && stored.content !== null) return stored.content;
  throw new KeyboundError(
    'wrap-invalid',
    `the wrapped seed of root ${root.kid} is ${stored === null ? 'missing from' : 'too large in'} region ${region} (${place.folder}); restore it, or give \`signing.wrapped\``,
  );
}
