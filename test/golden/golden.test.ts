/*
 * The golden files of version 1, made by generate.py without this library, are what this library writes and reads, on
 * both engines; and SPEC.md §14 prints nothing else.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Chains } from '../../src/binding/chain.js';
import { signEpoch } from '../../src/binding/jws.js';
import { keyId, pinRoots } from '../../src/binding/roots.js';
import { formatTrust, parseTrust } from '../../src/binding/trust.js';
import { type CryptoEngine } from '../../src/crypto/engine.js';
import { signingKeyFromSeed } from '../../src/crypto/ed25519.js';
import { combineSecrets, deriveKey, hkdfExpand } from '../../src/crypto/kdf.js';
import {
  activeGeneration,
  encodeBindingPayload,
  parseBindingPayload,
} from '../../src/format/binding-payload.js';
import { openBody, sealBody } from '../../src/format/chunked-body.js';
import {
  openDirectHeader,
  parseDirectHeader,
  sealDirectHeader,
  type DirectSecrets,
} from '../../src/format/direct-header.js';
import {
  contextBytes,
  encodeIdentity,
  IdentityDigest,
  nameBytes,
  type identityClass,
} from '../../src/format/identity.js';
import { encodeKmsContext } from '../../src/format/kms-context.js';
import { keyRef } from '../../src/format/key-ref.js';
import { encodeMetadata, type Metadata } from '../../src/format/metadata.js';
import { deriveSubkey } from '../../src/format/namespace-key.js';
import { openObjectHeader, parseObjectHeader, sealObjectHeader } from '../../src/format/object-header.js';
import { openRecord, recordGeneration, sealRecord } from '../../src/format/record.js';
import { encodeWrapObject, parseWrapObject } from '../../src/format/wrap-object.js';
import { Kms, kmsContext } from '../../src/keys/kms.js';
import { KeyProviders } from '../../src/keys/policy.js';
import { localKeys } from '../../src/keys/providers/local/index.js';
import { openKeybound } from '../../src/keybound.js';
import { piece } from '../../src/storage/bytes.js';
import { bindingPlace, wrapPlace } from '../../src/storage/layout.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { expectSame, fromHexText, hexText, join } from '../support/bytes.js';
import { engines } from '../support/engines.js';

const bytes = fromHexText;
const base64urlOf = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
const load = (file: string): unknown => JSON.parse(readFileSync(path.join(__dirname, file), 'utf8'));

type Pairs = readonly (readonly [string, string])[];
type Plaintext = { readonly hex: string } | { readonly pattern: 'i mod 251'; readonly length: number };

interface Cases<Case> {
  readonly cases: readonly Case[];
}
interface Whose {
  readonly registry: string;
  readonly namespace: string;
  readonly instance: string;
  readonly region: string;
}
interface Named extends Whose {
  readonly name: string;
  readonly itemName: string;
  readonly context: Pairs;
  readonly identity: string;
}
interface BodyCase {
  readonly name: string;
  readonly key: string;
  readonly context: string;
  readonly salt: string;
  readonly plaintext: Plaintext;
  readonly aeadKey: string;
  readonly baseNonce: string;
  readonly commitment: string;
  readonly body: string;
}
interface IdentityCase extends Named {
  readonly class: (typeof identityClass)[keyof typeof identityClass];
  readonly sha512: string;
  readonly ctx: Record<Parameters<IdentityDigest['context']>[0], string>;
}
interface SubkeysFile {
  readonly cases: (Whose & {
    readonly name: string;
    readonly namespaceKey: string;
    readonly generation: number;
    readonly record: string;
    readonly wrap: string;
    readonly continuity: string;
    readonly continuityPublicKey: string;
    readonly continuityKid: string;
  })[];
  readonly combined: { readonly name: string; readonly secrets: string[]; readonly combined: string }[];
  readonly keyRefs: { readonly uri: string; readonly ref: string }[];
}
interface Encrypted extends Named {
  readonly plaintext: Plaintext;
  readonly identitySha512: string;
}
interface RecordCase extends Encrypted {
  readonly namespaceKey: string;
  readonly generation: number;
  readonly salt: string;
  readonly ctx: string;
  readonly recordKey: string;
  /** AEAD key, base nonce and commitment. */
  readonly bodyKeys: string;
  readonly record: string;
}
interface WithMetadata extends Encrypted {
  readonly metadata: Metadata;
  readonly dataKey: string;
  readonly salts: { readonly dataKey: string; readonly metadata: string; readonly body: string };
  readonly metadataKey: string;
  readonly metadataJson: string;
  readonly header: string;
  readonly body: string;
}
interface ObjectCase extends WithMetadata {
  readonly namespaceKey: string;
  readonly generation: number;
  readonly ctxDataKey: string;
  readonly ctxMetadata: string;
  readonly ctxObject: string;
  readonly wrapKey: string;
  readonly bodyKeys: string;
}
interface LocalKeys {
  readonly localKeys: Record<string, string>;
}
interface DirectCase extends WithMetadata, LocalKeys {
  readonly kmsContext: Record<string, string>;
  readonly alternatives: {
    readonly keys: {
      readonly uri: string;
      readonly ref: string;
      readonly secret: string;
      readonly blob: string;
    }[];
    readonly combined: string;
  }[];
  readonly headerKey: string;
  readonly mac: string;
}
interface KmsContextFile {
  readonly cases: {
    readonly name: string;
    readonly pairs: Record<string, string>;
    readonly encoded: string;
  }[];
  readonly localBlobs: {
    readonly name: string;
    readonly localKey: string;
    readonly pairs: Record<string, string>;
    readonly secret: string;
    readonly salt: string;
    readonly blob: string;
  }[];
}
interface WrapCase extends Omit<Named, 'context'>, LocalKeys {
  readonly class: (typeof identityClass)[keyof typeof identityClass];
  readonly secret: string;
  readonly kmsContext: Record<string, string>;
  readonly ctx: string;
  readonly alternatives: {
    readonly keys: {
      readonly uri: string;
      readonly secret: string;
      readonly salt: string;
      readonly blob: string;
    }[];
    readonly combined: string;
    readonly sealSalt: string;
    readonly sealed: string;
  }[];
  readonly text: string;
  readonly stored: string;
  readonly sha512: string;
}
interface BindingFile extends Whose, LocalKeys {
  readonly root: { readonly seed: string; readonly publicKey: string; readonly kid: string };
  readonly generations: {
    readonly number: number;
    readonly namespaceKey: string;
    readonly continuitySeed: string;
    readonly continuityPublicKey: string;
    readonly continuityKid: string;
    readonly wrapSha512: string;
    readonly wrap: string;
  }[];
  readonly epochs: {
    readonly epoch: number;
    readonly verb: string;
    readonly signedBy: { readonly who: string; readonly kid: string }[];
    readonly payload: string;
    readonly payloadSha512: string;
    readonly text: string;
    readonly stored: string;
    readonly trust: string;
  }[];
}

const bodies = load('body.json') as Cases<BodyCase>;
const identities = load('identity.json') as Cases<IdentityCase>;
const directObjects = load('direct-object.json') as Cases<DirectCase>;
const subkeys = load('subkeys.json') as SubkeysFile;
const contexts = load('kms-context.json') as KmsContextFile;
const wraps = load('wrap.json') as Cases<WrapCase>;
const chain = load('binding.json') as BindingFile;
const records = load('record.json') as Cases<RecordCase>;
const objects = load('object.json') as Cases<ObjectCase>;

const plaintextOf = (plaintext: Plaintext): Uint8Array =>
  'hex' in plaintext ? bytes(plaintext.hex) : new Uint8Array(plaintext.length).map((_, i) => i % 251);

const whose = ({ registry, namespace, instance, region }: Whose) => ({
  registry: bytes(registry),
  namespace,
  instance: bytes(instance),
  region,
});

function identityOf(engine: CryptoEngine, of: IdentityCase['class'], item: Encrypted): IdentityDigest {
  const encoded = encodeIdentity(
    of,
    whose(item),
    nameBytes(item.itemName),
    contextBytes(Object.fromEntries(item.context)),
  );
  expect(hexText(encoded)).toBe(item.identity);
  const digest = new IdentityDigest(engine, encoded);
  expect(hexText(digest.digest)).toBe(item.identitySha512);
  return digest;
}

const objectOf = ({ header, body }: WithMetadata): Uint8Array => bytes(header + body);

/** AEAD key, base nonce and commitment, one after the other. */
function bodyKeys(engine: CryptoEngine, key: string, salt: string, context: Uint8Array): string {
  const info = join([Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), bytes(salt), context]);
  return hexText(hkdfExpand(engine, bytes(key), info, 76));
}

const saltsOf = ({ salts }: WithMetadata) => ({
  dataKey: bytes(salts.dataKey),
  metadata: bytes(salts.metadata),
});

describe.each(engines)('on the $name engine', (engine) => {
  describe('a body', () => {
    it.each(bodies.cases)('is the golden one and opens: $name', (golden) => {
      const [key, context, salt] = [bytes(golden.key), bytes(golden.context), bytes(golden.salt)];
      expect(bodyKeys(engine, golden.key, golden.salt, context)).toBe(
        golden.aeadKey + golden.baseNonce + golden.commitment,
      );
      const plaintext = plaintextOf(golden.plaintext);
      expectSame(sealBody(engine, key, context, plaintext, salt), bytes(golden.body));
      expectSame(openBody(engine, key, context, bytes(golden.body)), plaintext);
    });
  });

  describe('an identity', () => {
    it.each(identities.cases)('is the golden one: $name', (golden) => {
      const identity = identityOf(engine, golden.class, {
        ...golden,
        identitySha512: golden.sha512,
        plaintext: { hex: '' },
      });
      for (const [purpose, ctx] of Object.entries(golden.ctx)) {
        // The file names exactly the purposes that there are.
        expect(hexText(identity.context(purpose as keyof IdentityCase['ctx']))).toBe(ctx);
      }
    });
  });

  describe('keys', () => {
    it.each(subkeys.cases)('are derived from a namespace key: $name', async (golden) => {
      const derive = (purpose: 'record' | 'wrap' | 'continuity'): Uint8Array =>
        deriveSubkey(engine, bytes(golden.namespaceKey), purpose, whose(golden), golden.generation);
      for (const purpose of ['record', 'wrap', 'continuity'] as const) {
        expect(hexText(derive(purpose))).toBe(golden[purpose]);
      }
      const { publicKey } = await signingKeyFromSeed(derive('continuity'));
      expect(hexText(publicKey)).toBe(golden.continuityPublicKey);
      expect(keyId(engine, publicKey)).toBe(golden.continuityKid);
    });

    it.each(subkeys.combined)('are combined: $name', ({ secrets, combined }) => {
      expect(hexText(combineSecrets(engine, secrets.map(bytes)))).toBe(combined);
    });

    it.each(subkeys.keyRefs)('have refs: $uri', ({ uri, ref }) => {
      expect(hexText(keyRef(engine, uri))).toBe(ref);
    });
  });

  describe('a record', () => {
    it.each(records.cases)('is the golden one and opens: $name', (golden) => {
      const identity = identityOf(engine, 1, golden);
      expect(hexText(identity.context('record'))).toBe(golden.ctx);
      const { generation } = golden;
      const key = deriveSubkey(engine, bytes(golden.namespaceKey), 'record', whose(golden), generation);
      expect(hexText(key)).toBe(golden.recordKey);
      expect(bodyKeys(engine, golden.recordKey, golden.salt, identity.context('record'))).toBe(
        golden.bodyKeys,
      );
      const plaintext = plaintextOf(golden.plaintext);
      const record = bytes(golden.record);
      expectSame(sealRecord(engine, key, generation, identity, plaintext, bytes(golden.salt)), record);
      expect(recordGeneration(record)).toBe(generation);
      expectSame(openRecord(engine, key, identity, record), plaintext);
    });
  });

  describe('an object', () => {
    it.each(objects.cases)('is the golden one and opens: $name', (golden) => {
      const identity = identityOf(engine, 2, golden);
      const { generation, metadata } = golden;
      const wrapKey = deriveSubkey(engine, bytes(golden.namespaceKey), 'wrap', whose(golden), generation);
      const dataKey = bytes(golden.dataKey);
      expect(hexText(wrapKey)).toBe(golden.wrapKey);
      expect([
        hexText(identity.context('data-key')),
        hexText(identity.context('metadata')),
        hexText(identity.context('object')),
      ]).toEqual([golden.ctxDataKey, golden.ctxMetadata, golden.ctxObject]);
      expect(hexText(deriveKey(engine, dataKey, 'metadata', identity.digest))).toBe(golden.metadataKey);
      expect(bodyKeys(engine, golden.dataKey, golden.salts.body, identity.context('object'))).toBe(
        golden.bodyKeys,
      );
      expect(hexText(encodeMetadata(metadata))).toBe(golden.metadataJson);
      const header = sealObjectHeader(
        engine,
        wrapKey,
        generation,
        identity,
        dataKey,
        metadata,
        saltsOf(golden),
      );
      expect(hexText(header)).toBe(golden.header);
      const plaintext = plaintextOf(golden.plaintext);
      const salt = bytes(golden.salts.body);
      const body = sealBody(engine, dataKey, identity.context('object'), plaintext, salt);
      const object = objectOf(golden);
      expectSame(join([header, body]), object);

      const parsed = parseObjectHeader(object);
      if (parsed === null) throw new Error('the golden object is complete');
      expect([parsed.generation, parsed.length]).toEqual([generation, header.length]);
      const opened = openObjectHeader(engine, wrapKey, identity, parsed);
      expect(hexText(opened.dataKey)).toBe(golden.dataKey);
      expect(opened.metadata).toEqual(metadata);
      const sealed = object.subarray(parsed.length);
      expectSame(openBody(engine, opened.dataKey, identity.context('object'), sealed), plaintext);
    });
  });

  describe('a direct object', () => {
    it.each(directObjects.cases)(
      'is the golden one and opens by every alternative: $name',
      async (golden) => {
        const identity = identityOf(engine, 2, golden);
        const dataKey = bytes(golden.dataKey);
        const { metadata } = golden;
        const alternatives: DirectSecrets[] = golden.alternatives.map(({ keys }) => ({
          wraps: keys.map(({ ref, blob }) => ({ ref: bytes(ref), blob: bytes(blob) })),
          secrets: keys.map(({ secret }) => bytes(secret)),
        }));
        expect(hexText(deriveKey(engine, dataKey, 'header', identity.digest))).toBe(golden.headerKey);
        expect(hexText(deriveKey(engine, dataKey, 'metadata', identity.digest))).toBe(golden.metadataKey);
        expect(hexText(encodeMetadata(metadata))).toBe(golden.metadataJson);
        const header = sealDirectHeader(engine, alternatives, identity, dataKey, metadata, saltsOf(golden));
        expect(hexText(header)).toBe(golden.header);
        expect(hexText(header).endsWith(golden.mac)).toBe(true);
        const plaintext = plaintextOf(golden.plaintext);
        const salt = bytes(golden.salts.body);
        const body = sealBody(engine, dataKey, identity.context('object'), plaintext, salt);
        const object = objectOf(golden);
        expectSame(join([header, body]), object);

        const parsed = parseDirectHeader(object);
        if (parsed === null) throw new Error('the golden object is complete');
        expect(parsed.length).toBe(header.length);
        expect(parsed.alternatives).toHaveLength(golden.alternatives.length);
        const provider = localKeys(golden.localKeys);
        for (const [i, alternative] of parsed.alternatives.entries()) {
          const keys = golden.alternatives[i]?.keys ?? [];
          expect(alternative.wraps.map(({ ref }) => hexText(ref))).toEqual(
            keys.map(({ uri }) => hexText(keyRef(engine, uri))),
          );
          const secrets = await Promise.all(
            keys.map(async ({ uri, secret }, j) =>
              uri.startsWith('local://')
                ? provider.unwrap(uri, alternative.wraps[j]?.blob ?? bytes(''), golden.kmsContext)
                : bytes(secret),
            ),
          );
          expect(secrets.map(hexText)).toEqual(keys.map(({ secret }) => secret));
          expect(hexText(combineSecrets(engine, secrets))).toBe(golden.alternatives[i]?.combined);
          const opened = openDirectHeader(engine, parsed, alternative, secrets, identity);
          expect(hexText(opened.dataKey)).toBe(golden.dataKey);
          expect(opened.metadata).toEqual(metadata);
        }
        const sealed = object.subarray(parsed.length);
        expectSame(openBody(engine, dataKey, identity.context('object'), sealed), plaintext);
      },
    );
  });

  describe('a KMS context', () => {
    it.each(contexts.cases)('is encoded as the golden one: $name', ({ pairs, encoded }) => {
      expect(hexText(encodeKmsContext(pairs))).toBe(encoded);
    });

    it.each(contexts.localBlobs)('binds the blob of a local key: $name', async (golden) => {
      const [key, context] = [bytes(golden.localKey), encodeKmsContext(golden.pairs)];
      const sealed = sealBody(engine, key, context, bytes(golden.secret), bytes(golden.salt));
      expect(hexText(sealed)).toBe(golden.blob);
      const opened = await localKeys({ acme: golden.localKey }).unwrap(
        'local://acme',
        bytes(golden.blob),
        golden.pairs,
      );
      expect(hexText(opened)).toBe(golden.secret);
    });
  });

  describe('a wrap object', () => {
    it.each(wraps.cases)('is the golden one and opens by every alternative: $name', async (golden) => {
      const digest = new IdentityDigest(
        engine,
        encodeIdentity(golden.class, whose(golden), nameBytes(golden.itemName)),
      );
      const purpose = golden.class === 3 ? 'namespace-key' : 'signing-key';
      const sealContext = digest.context(purpose);
      expect(hexText(sealContext)).toBe(golden.ctx);
      expect(kmsContext(golden.registry, golden, purpose)).toEqual(golden.kmsContext);
      const bound = encodeKmsContext(golden.kmsContext);
      const written = golden.alternatives.map(({ keys, sealSalt, combined }) => ({
        wraps: keys.map(({ uri, secret, salt }) => {
          const localKey = bytes(golden.localKeys[uri.slice('local://'.length)] ?? '');
          return { uri, blob: sealBody(engine, localKey, bound, bytes(secret), bytes(salt)) };
        }),
        sealed: sealBody(engine, bytes(combined), sealContext, bytes(golden.secret), bytes(sealSalt)),
      }));
      const stored = bytes(golden.stored);
      expect(Buffer.from(stored).toString()).toBe(golden.text);
      expectSame(encodeWrapObject(written), stored);
      expect(hexText(engine.sha512(stored))).toBe(golden.sha512);

      const parsed = parseWrapObject(stored);
      const kms = new Kms(engine, new KeyProviders([localKeys(golden.localKeys)]), () => undefined);
      const use = {
        subject: { namespace: golden.namespace, region: golden.region },
        purpose,
        kmsContext: golden.kmsContext,
        sealContext,
        keyLocations: ['local'],
      } as const;
      const alternatives = parsed.map((one) => one.wraps.map(({ uri }) => ({ uri, by: 'owner' }) as const));
      const policy = { alternatives, ownerCannotRevoke: false };
      await kms.verify(policy, parsed, bytes(golden.secret), use);
    });
  });

  describe('a chain of bindings', () => {
    it('is signed to the same bytes', async () => {
      const seeds = [chain.root.seed, ...chain.generations.map(({ continuitySeed }) => continuitySeed)];
      const keys = await Promise.all(
        seeds.map(async (seed) => {
          const { privateKey, publicKey } = await signingKeyFromSeed(bytes(seed));
          return { kid: keyId(engine, publicKey), privateKey };
        }),
      );
      for (const { payload, stored, signedBy } of chain.epochs) {
        const parsed = parseBindingPayload(Buffer.from(payload));
        expect(Buffer.from(encodeBindingPayload(parsed)).toString()).toBe(payload);
        const signers = signedBy.flatMap(({ kid }) => keys.filter((key) => key.kid === kid));
        expect(signers).toHaveLength(signedBy.length);
        expectSame(await signEpoch(Buffer.from(payload), signers), bytes(stored));
      }
    });

    it('is accepted, epoch by epoch and at once, and gives the expected trust', async () => {
      const store = memoryStore();
      const subject = { namespace: chain.namespace, region: chain.region };
      const { reader, expected } = { reader: chainsOver(engine, store), expected: chain.epochs };
      expect(await reader.read(subject)).toBeNull();
      for (const epoch of expected) {
        await putEpoch(store, epoch);
        const binding = await reader.read(subject);
        expect(formatTrust(binding?.trust ?? { instance: '', epoch: 0, payload: '' })).toBe(epoch.trust);
      }
      const last = expected.at(-1);
      const fresh = await chainsOver(engine, store).read(subject);
      expect(fresh?.payload).toEqual(JSON.parse(last?.payload ?? ''));
      for (const { trust } of expected) {
        const resumed = await chainsOver(engine, store).read(subject, { trust: parseTrust(trust) });
        expect(resumed && formatTrust(resumed.trust)).toBe(last?.trust);
      }
    });

    it('is refused without the continuity signature of epoch 2 or 4', async () => {
      for (const number of [2, 4]) {
        const store = memoryStore();
        for (const epoch of chain.epochs) {
          const envelope = JSON.parse(epoch.text) as { signatures: unknown[] };
          if (epoch.epoch === number) envelope.signatures.pop();
          await putEpoch(store, { ...epoch, stored: hexText(Buffer.from(JSON.stringify(envelope))) });
        }
        const reading = chainsOver(engine, store).read({ namespace: chain.namespace, region: chain.region });
        await expect(reading).rejects.toMatchObject({ code: 'binding-invalid' });
      }
    });

    it('lists the generations whose keys its wrap objects hold', async () => {
      const { policies, generations } = parseBindingPayload(Buffer.from(chain.epochs.at(-1)?.payload ?? ''));
      expect(activeGeneration({ generations } as Parameters<typeof activeGeneration>[0])?.number).toBe(2);
      for (const [i, golden] of chain.generations.entries()) {
        const stored = bytes(golden.wrap);
        expect(hexText(engine.sha512(stored))).toBe(golden.wrapSha512);
        expect(generations[i]).toMatchObject({
          number: golden.number,
          continuity: base64urlOf(golden.continuityPublicKey),
          wrap: base64urlOf(golden.wrapSha512),
        });
        const identity = new IdentityDigest(
          engine,
          encodeIdentity(3, whose(chain), nameBytes(String(golden.number))),
        );
        const [policy] = policies;
        if (policy === undefined) throw new Error('there is a current policy');
        const kms = new Kms(engine, new KeyProviders([localKeys(chain.localKeys)]), () => undefined);
        const opened = await kms.unwrap(policy, parseWrapObject(stored), {
          subject: chain,
          purpose: 'namespace-key',
          kmsContext: kmsContext(chain.registry, chain, 'namespace-key'),
          sealContext: identity.context('namespace-key'),
          keyLocations: ['local'],
        });
        expect(hexText(opened)).toBe(golden.namespaceKey);
      }
    });
  });
});

function chainsOver(engine: CryptoEngine, store: ObjectStore): Chains {
  return new Chains({
    engine,
    registry: chain.registry,
    roots: pinRoots(engine, [{ publicKey: base64urlOf(chain.root.publicKey), status: 'active' }]),
    emit: () => undefined,
    regions: ['eu'],
    storeOf: () => Promise.resolve(store),
  });
}

async function putEpoch(store: ObjectStore, { epoch, stored }: { epoch: number; stored: string }) {
  await store.put(bindingPlace(chain.registry, chain.namespace, epoch), piece(bytes(stored)), {
    if: 'absent',
  });
}

describe('through the published entry point', () => {
  it('a namespace made of golden files opens golden records and objects', async () => {
    const store = memoryStore();
    for (const epoch of chain.epochs) await putEpoch(store, epoch);
    for (const { number, wrap, wrapSha512 } of chain.generations) {
      await store.put(wrapPlace(chain.registry, chain.namespace, number, wrapSha512), piece(bytes(wrap)));
    }
    const keybound = openKeybound({
      registry: chain.registry,
      roots: [{ publicKey: base64urlOf(chain.root.publicKey), status: 'active' }],
      regions: { [chain.region]: { store, keyLocations: ['local'] } },
      keys: [localKeys(chain.localKeys)],
    });
    const namespace = await keybound.open(chain.namespace, { trust: chain.epochs.at(-1)?.trust ?? '' });
    const ours = ({ namespace: id }: Whose): boolean => id === chain.namespace;
    for (const golden of records.cases.filter(ours)) {
      const context = Object.fromEntries(golden.context);
      const opened = await namespace.decryptRecord(golden.itemName, bytes(golden.record), { context });
      expectSame(opened, plaintextOf(golden.plaintext));
    }
    for (const golden of objects.cases.filter(ours)) {
      const context = Object.fromEntries(golden.context);
      const opened = await namespace.decryptStream(golden.itemName, objectOf(golden), { context });
      expect(opened.metadata).toEqual(golden.metadata);
      const parts: Uint8Array[] = [];
      for await (const part of opened) parts.push(part);
      expectSame(join(parts), plaintextOf(golden.plaintext));
    }
    keybound.purge();
  });
});

/** The code blocks of SPEC.md §14: ```hex or ```json, then the golden file and a JSON Pointer (RFC 6901) into it. */
function specExamples(): { info: string; content: string }[] {
  const spec = readFileSync(path.join(__dirname, '../../SPEC.md'), 'utf8');
  const [, section = ''] = /^## §14 .*\n([^]*?)^## §15 /m.exec(spec) ?? [];
  return [...section.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = '', content = '']) => ({
    info,
    content,
  }));
}

function lookUp(file: string, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], load(file));
}

/** What stands before and after `…`, or all of it. */
const around = (text: string): string[] => text.split('…');

/** Whether `shown` is the golden text, or its beginning, `…` and its end. */
function isExcerpt(golden: string, shown: string): boolean {
  const [head = '', tail, ...more] = around(shown);
  if (tail === undefined) return shown === golden;
  const shorter = head.length + tail.length < golden.length;
  return more.length === 0 && shorter && golden.startsWith(head) && golden.endsWith(tail);
}

/** What is shown, with the golden text in place of each true excerpt of it. */
function completed(golden: unknown, shown: unknown): unknown {
  if (typeof golden === 'string' && typeof shown === 'string') {
    return isExcerpt(golden, shown) ? golden : shown;
  }
  if (typeof golden !== 'object' || golden === null || typeof shown !== 'object' || shown === null) {
    return shown;
  }
  const entries = Object.entries(shown).map(([key, member]): [string, unknown] => [
    key,
    completed((golden as Record<string, unknown>)[key], member),
  ]);
  return Array.isArray(shown) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

/** The parts of a block whose comment is `lp("text")`, and that text. */
function annotated(content: string): { text: string; hex: string }[] {
  const parts = content.matchAll(/^([0-9a-f]+) +; lp\("(.*)"\)$((?:\n[0-9a-f]+$)*)/gm);
  return [...parts].map(([, first = '', text = '', more = '']) => ({
    text,
    hex: withoutComments(first + more),
  }));
}

/** Hexadecimal digits with spaces and line breaks anywhere; `;` begins a comment. */
const withoutComments = (content: string): string => content.replaceAll(/;.*$/gm, '').replaceAll(/\s/g, '');

describe('SPEC.md §14', () => {
  const examples = specExamples();

  it('has examples of every golden file', () => {
    const files = examples.map(({ info }) => /^(?:hex|json) ([a-z-]+\.json)#/.exec(info)?.[1]);
    expect([...new Set(files)].sort()).toEqual([
      'binding.json',
      'body.json',
      'direct-object.json',
      'identity.json',
      'kms-context.json',
      'object.json',
      'record.json',
      'subkeys.json',
      'wrap.json',
    ]);
  });

  it.each(examples)('prints what is golden: $info', ({ info, content }) => {
    const [, kind, file = '', pointer = ''] =
      /^(hex|json) ([a-z-]+\.json)#((?:\/[A-Za-z0-9-]+)*)$/.exec(info) ?? [];
    const golden = lookUp(file, pointer);
    if (kind === 'json') {
      const shown = JSON.parse(content) as object;
      // Some members of a case, or the whole of a text that is JSON itself.
      if (typeof golden === 'string') {
        const parsed = JSON.parse(golden) as unknown;
        expect(completed(parsed, shown)).toEqual(parsed);
      } else {
        expect(golden).toMatchObject(completed(golden, shown) as object);
      }
      return;
    }
    if (kind !== 'hex' || typeof golden !== 'string') throw new Error(`${info} leads nowhere`);
    const shown = withoutComments(content);
    expect(shown).toMatch(/^(?:[0-9a-f]{2})+(?:…(?:[0-9a-f]{2})*)?$/);
    if (!isExcerpt(golden, shown)) expect(shown).toBe(golden);
    for (const { text, hex } of annotated(content)) {
      expect(hex.slice(4)).toBe(hexText(Buffer.from(text)));
      expect(parseInt(hex.slice(0, 4), 16)).toBe(hex.length / 2 - 2);
    }
  });
});
