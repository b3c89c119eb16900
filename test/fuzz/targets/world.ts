/*
 * A registry whose every key is known and the same each time: what is made for it here is valid, and the fuzzer can sign
 * and seal what is not.
 */
import { keyId } from '../../../src/binding/roots.js';
import { signEpoch, type Signer } from '../../../src/binding/jws.js';
import { signingKeyFromSeed } from '../../../src/crypto/ed25519.js';
import { type BindingPayload, encodeBindingPayload } from '../../../src/format/binding-payload.js';
import {
  encodeIdentity,
  identityClass,
  IdentityDigest,
  type NamespaceIdentity,
} from '../../../src/format/identity.js';
import { deriveSubkey } from '../../../src/format/namespace-key.js';
import { encodeWrapObject } from '../../../src/format/wrap-object.js';
import {
  type Keybound,
  type KeyboundOptions,
  type KeyProvider,
  openKeybound,
  type SigningOptions,
} from '../../../src/index.js';
import { base64url, fromHex, toHex, utf8 } from '../../../src/internal/bytes.js';
import { Kms, kmsContext, type SecretUse } from '../../../src/keys/kms.js';
import { KeyProviders, normalisePolicy } from '../../../src/keys/policy.js';
import { localKeys } from '../../../src/keys/providers/local/index.js';
import { bindingPlace, objectsFolder, wrapPlace } from '../../../src/storage/layout.js';
import { type ObjectStore } from '../../../src/storage/store.js';
import { memoryStore } from '../../../src/storage/stores/memory.js';
import { Rng } from '../../support/rng.js';
import { storeBytes } from '../../support/stores.js';
import { engine, reseed } from '../engine/seeded-engine.js';

const fixed = new Rng(20_260_101);
export const registry = toHex(fixed.bytes(16));
export const subject = { namespace: 'acme', region: 'eu' };
export const identity: NamespaceIdentity = {
  registry: fromHex(registry),
  ...subject,
  instance: fixed.bytes(16),
};
export const namespaceKey = fixed.bytes(32);
export const material = { acme: fixed.bytes(32), backup: fixed.bytes(32), service: fixed.bytes(32) };
const rootSeed = fixed.bytes(32);

/** As `commit` and `create` write it. */
export const time = '2026-01-01T00:00:00.000Z';

async function signer(seed: Uint8Array): Promise<Signer & { publicKey: string }> {
  const { privateKey, publicKey } = await signingKeyFromSeed(seed);
  return { kid: keyId(engine, publicKey), privateKey, publicKey: base64url.encode(publicKey) };
}

export interface FuzzWorld {
  readonly provider: KeyProvider;
  readonly root: Signer & { publicKey: string };
  readonly continuity: Signer & { publicKey: string };
  readonly stores: { readonly eu: ObjectStore; readonly us: ObjectStore };
  /** Epoch 1, and the wraps that it names. */
  readonly first: BindingPayload;
  readonly wrapObject: Uint8Array;
  readonly options: KeyboundOptions;
  readonly signing: Required<SigningOptions>;
  /** A process that knows nothing yet. */
  process(changes?: Partial<KeyboundOptions>): Keybound;
  /** Puts bytes in the place of an epoch. */
  placeEpoch(epoch: number, bytes: Uint8Array, region?: 'eu' | 'us'): Promise<void>;
  placeWrap(bytes: Uint8Array, generation?: number): Promise<void>;
}

export const objectPlace = (name: string): { folder: string; name: string } => ({
  folder: objectsFolder(registry, subject.namespace, toHex(identity.instance)),
  name,
});

export const hashOf = (payload: BindingPayload): string =>
  base64url.encode(engine.sha512(encodeBindingPayload(payload)));

/** The library waits at most a second between rereadings; nothing here changes in that time. */
function hurry(): void {
  const original = globalThis.setTimeout;
  const hurried = (work: () => void, ms = 0): unknown => original(work, ms > 1 && ms <= 5000 ? 1 : ms);
  Object.defineProperty(globalThis, 'setTimeout', { value: hurried, configurable: true, writable: true });
}

let hurried = false;

export async function makeFuzzWorld(): Promise<FuzzWorld> {
  if (!hurried) hurry();
  hurried = true;
  reseed(7);
  const provider = localKeys(material);
  const providers = new KeyProviders([provider]);
  const kms = new Kms(engine, providers, () => undefined);
  const [root, continuity] = [
    await signer(rootSeed),
    await signer(deriveSubkey(engine, namespaceKey, 'continuity', identity, 1)),
  ];

  const use = (
    purpose: 'namespace-key' | 'signing-key',
    namespace: string,
    sealContext: Uint8Array,
  ): SecretUse => {
    const its = { namespace, region: subject.region };
    return {
      subject: its,
      purpose,
      kmsContext: kmsContext(registry, its, purpose),
      sealContext,
      keyLocations: ['local'],
    };
  };
  const keyContext = new IdentityDigest(
    engine,
    encodeIdentity(identityClass.namespaceKey, identity, utf8('1')),
  ).context('namespace-key');
  const policy = normalisePolicy(
    engine,
    { anyOf: ['local://acme', { allOf: ['local://backup', { serviceKey: 'local://service' }] }] },
    providers,
    false,
  );
  const wrapObject = encodeWrapObject(
    await kms.wrap(policy, namespaceKey, use('namespace-key', subject.namespace, keyContext)),
  );

  const registryIdentity = {
    registry: identity.registry,
    namespace: '_registry',
    instance: new Uint8Array(16),
    region: subject.region,
  };
  const seedContext = new IdentityDigest(
    engine,
    encodeIdentity(identityClass.signingKey, registryIdentity, utf8(root.kid)),
  ).context('signing-key');
  const servicePolicy = normalisePolicy(engine, 'local://service', providers, true);
  const wrapped = encodeWrapObject(
    await kms.wrap(servicePolicy, rootSeed, use('signing-key', '_registry', seedContext)),
  );

  const first: BindingPayload = {
    format: 'keybound/v1/binding',
    registry: base64url.encode(identity.registry),
    ...subject,
    instance: base64url.encode(identity.instance),
    epoch: 1,
    previous: null,
    status: 'active',
    owner: 'Acme',
    parent: null,
    approvers: [],
    dataClass: null,
    keyMode: 'namespace',
    policies: [{ status: 'current', ...policy }],
    leaseMs: 30_000,
    outageGraceMs: 0,
    createdAt: time,
    updatedAt: time,
    generations: [
      {
        number: 1,
        status: 'active',
        continuity: continuity.publicKey,
        wrap: base64url.encode(engine.sha512(wrapObject)),
      },
    ],
    movedTo: null,
    movedFrom: null,
  };
  const stores = { eu: memoryStore(), us: memoryStore() };
  const regions = {
    eu: { store: stores.eu, keyLocations: ['local'] },
    us: { store: stores.us, keyLocations: ['local'] },
  };
  const options: KeyboundOptions = {
    registry,
    roots: [{ publicKey: root.publicKey, status: 'active' }],
    regions,
    keys: [provider],
  };
  const world: FuzzWorld = {
    provider,
    root,
    continuity,
    stores,
    first,
    wrapObject,
    options,
    signing: {
      publicKey: root.publicKey,
      region: 'eu',
      key: 'local://service',
      wrapped: Buffer.from(wrapped).toString('utf8'),
    },
    process: (changes = {}) => openKeybound({ ...options, ...changes }),
    placeEpoch: (epoch, bytes, region = 'eu') =>
      storeBytes(stores[region], bindingPlace(registry, subject.namespace, epoch), bytes),
    placeWrap: (bytes, generation = 1) =>
      storeBytes(
        stores.eu,
        wrapPlace(registry, subject.namespace, generation, toHex(engine.sha512(bytes))),
        bytes,
      ),
  };
  await world.placeEpoch(1, await signEpoch(encodeBindingPayload(first), [root]));
  await world.placeWrap(wrapObject);
  return world;
}

export const text = (value: unknown): Uint8Array =>
  utf8(typeof value === 'string' ? value : JSON.stringify(value));

/** The JSON in an input; undefined, which no JSON is, if it holds none. */
export function json(input: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(input).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
