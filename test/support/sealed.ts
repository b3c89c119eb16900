/*
 * One record, object or direct object, made by the format's own functions with fixed keys and salts, and how a process
 * that holds the keys opens it.
 */
import { IntegrityFailure } from '../../src/errors.js';
import { BodySealer, openBody } from '../../src/format/chunked-body.js';
import { openDirectHeader, parseDirectHeader, sealDirectHeader } from '../../src/format/direct-header.js';
import {
  contextBytes,
  encodeIdentity,
  identityClass,
  IdentityDigest,
  nameBytes,
  type NamespaceIdentity,
} from '../../src/format/identity.js';
import { deriveSubkey, type SubkeyPurpose } from '../../src/format/namespace-key.js';
import { openObjectHeader, sealObjectHeader } from '../../src/format/object-header.js';
import { openRecord, recordGeneration, sealRecord } from '../../src/format/record.js';
import { openRun, readHead } from '../../src/streams/object-stream.js';
import { join } from './bytes.js';
import { nodeEngine as engine } from './engines.js';
import { bodyEdges } from './mutations.js';
import { Rng } from './rng.js';

/** Everything a ciphertext is bound to. */
export interface FullIdentity extends NamespaceIdentity {
  readonly class: 1 | 2 | 3 | 4;
  readonly name: string;
  readonly context: Readonly<Record<string, string>>;
}

/** What came out before it ended, and why it failed, if it did. */
export interface Opening {
  readonly released: Uint8Array;
  readonly failure: unknown;
}

export interface Sealed {
  readonly bytes: Uint8Array;
  readonly message: Uint8Array;
  /** Where its parts begin, and where the last one ends. */
  readonly edges: readonly number[];
  readonly identity: FullIdentity;
  /** Opens bytes as what this is, or as what it is not. `keysOf` is whose subkeys are used. */
  readonly open: (bytes: Uint8Array, identity?: FullIdentity, keysOf?: FullIdentity) => Promise<Opening>;
}

export type Seal = (message: Uint8Array, rng: Rng) => Sealed;

const fixed = new Rng(4711);
/** Whatever generation is named, and for every identity: the strongest attacker has all but the right one. */
const namespaceKey = fixed.bytes(32);
const secrets = [fixed.bytes(32), fixed.bytes(32)];
const namespace = { registry: fixed.bytes(16), namespace: 'acme', instance: fixed.bytes(16), region: 'eu' };
const named = { ...namespace, name: 'customers/42', context: { field: 'iban', version: '7\0\0' } };
const metadata = { contentType: 'text/plain', pairs: { of: 'mine' } };
const generation = 1;

const digestOf = (identity: FullIdentity): IdentityDigest =>
  new IdentityDigest(
    engine,
    encodeIdentity(identity.class, identity, nameBytes(identity.name), contextBytes(identity.context)),
  );
const subkey = (purpose: SubkeyPurpose, identity: NamespaceIdentity, number: number): Uint8Array =>
  deriveSubkey(engine, namespaceKey, purpose, identity, number);

async function opening(open: (release: (part: Uint8Array) => void) => Promise<void>): Promise<Opening> {
  const parts: Uint8Array[] = [];
  try {
    await open((part) => parts.push(part));
    return { released: join(parts), failure: undefined };
  } catch (failure) {
    return { released: join(parts), failure };
  }
}

function sealBodyOf(
  dataKey: Uint8Array,
  identity: IdentityDigest,
  message: Uint8Array,
  rng: Rng,
): Uint8Array {
  const sealer = new BodySealer(engine, dataKey, identity.context('object'), rng.bytes(24));
  return join([sealer.header, sealer.push(message), sealer.end()]);
}

export const record: Seal = (message, rng) => {
  const identity: FullIdentity = { ...named, class: identityClass.record };
  const key = subkey('record', identity, generation);
  const bytes = sealRecord(engine, key, generation, digestOf(identity), message, rng.bytes(24));
  return {
    bytes,
    message,
    identity,
    edges: [0, 3, 4, ...bodyEdges(bytes.length, 8)],
    open: (given, as = identity, keysOf = as) =>
      // eslint-disable-next-line @typescript-eslint/require-await -- so that what is thrown is caught alike
      opening(async (release) => {
        const recordKey = subkey('record', keysOf, recordGeneration(given));
        release(openRecord(engine, recordKey, digestOf(as), given));
      }),
  };
};

export const object: Seal = (message, rng) => {
  const identity: FullIdentity = { ...named, class: identityClass.object };
  const digest = digestOf(identity);
  const dataKey = rng.bytes(32);
  const salts = { dataKey: rng.bytes(24), metadata: rng.bytes(24) };
  const wrapKey = subkey('wrap', identity, generation);
  const header = sealObjectHeader(engine, wrapKey, generation, digest, dataKey, metadata, salts);
  const bytes = join([header, sealBodyOf(dataKey, digest, message, rng)]);
  return {
    bytes,
    message,
    identity,
    edges: [0, 3, 4, 8, 32, 64, 112, 114, 138, 170, ...bodyEdges(bytes.length, header.length)],
    open: (given, as = identity, keysOf = as) =>
      opening(async (release) => {
        const source = halves(given);
        const head = await readHead(source);
        const under = digestOf(as);
        const key = subkey('wrap', keysOf, head.header.generation);
        const opened = openObjectHeader(engine, key, under, head.header);
        const rest = async function* (): AsyncGenerator<Uint8Array> {
          yield head.rest;
          yield* source;
        };
        const context = under.context('object');
        for await (const part of openRun(
          engine,
          opened.dataKey,
          context,
          head.bodyHeader,
          rest(),
          wholeBody,
        )) {
          release(part);
        }
      }),
  };
};

const wholeBody = { firstChunk: 0, skip: 0, take: Infinity, final: true } as const;

// eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by its type
async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = bytes.length >> 1;
  yield bytes.subarray(0, middle);
  yield bytes.subarray(middle);
}

/** Two alternatives: of one key, and of two. */
export const directObject: Seal = (message, rng) => {
  const identity: FullIdentity = { ...named, class: identityClass.object };
  const digest = digestOf(identity);
  const dataKey = rng.bytes(32);
  const refs = [0, 1, 2].map((first) => Uint8Array.of(first, ...rng.bytes(15)));
  const wrap = (i: number): { ref: Uint8Array; blob: Uint8Array } => ({
    ref: refs[i] ?? new Uint8Array(16),
    blob: rng.bytes(60),
  });
  const alternatives = [
    { wraps: [wrap(0)], secrets: secrets.slice(0, 1) },
    { wraps: [wrap(1), wrap(2)], secrets },
  ];
  const salts = { dataKey: rng.bytes(24), metadata: rng.bytes(24) };
  const header = sealDirectHeader(engine, alternatives, digest, dataKey, metadata, salts);
  const bytes = join([header, sealBodyOf(dataKey, digest, message, rng)]);
  const [first, second] = [7, 7 + 2 + 1 + 78 + 104];
  const mac = header.length - 32;
  return {
    bytes,
    message,
    identity,
    edges: [
      ...[0, 3, 4, 6, first, first + 2, first + 3, first + 19, first + 81],
      ...[second, second + 2, second + 3, second + 81, second + 159],
      ...[mac - 56 - 16 - metadataLength - 2, mac, ...bodyEdges(bytes.length, header.length)],
    ],
    open: (given, as = identity) =>
      // eslint-disable-next-line @typescript-eslint/require-await -- so that what is thrown is caught alike
      opening(async (release) => {
        const parsed = parseDirectHeader(given);
        if (parsed === null) throw new IntegrityFailure('cut within the header');
        // As the binding's policy says, whatever the header says: each alternative that is there, tried by its keys.
        const chosen = parsed.alternatives.find(({ wraps }) => wraps.length === 2) ?? parsed.alternatives[0];
        if (chosen === undefined) throw new IntegrityFailure('no alternative');
        const under = digestOf(as);
        const opened = openDirectHeader(engine, parsed, chosen, secrets.slice(0, chosen.wraps.length), under);
        release(openBody(engine, opened.dataKey, under.context('object'), given.subarray(parsed.length)));
      }),
  };
};

const metadataLength = JSON.stringify(metadata).length;
