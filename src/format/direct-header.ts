/*
 * Direct object = "KBD" 0x03 ‖ u16 length ‖ u8 n ‖ n × lp(alternative) ‖ lp(metadata) ‖ MAC 32 ‖ CB(DEK, ctx("object"), m)
 *
 *   alternative = u8 k ‖ k × (key ref 16 ‖ lp(KMS blob)) ‖ CB(comb, ctx("data-key"), DEK)
 *   length      = of everything after it up to and with the MAC
 *   MAC         = HMAC-SHA-512(X(DEK, "header", SHA-512(A)), every byte before it)[:32]              SPEC.md §8
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { combineSecrets, deriveKey } from '../crypto/kdf.js';
import { IntegrityFailure } from '../errors.js';
import { compareBytes, concat, lp, readU16, u16, wipe } from '../internal/bytes.js';
import { bodyLength, openBody, sealBody } from './chunked-body.js';
import { expectForm, form, formPrefix } from './form.js';
import { type IdentityDigest } from './identity.js';
import { keyRefLength } from './key-ref.js';
import { maxSealedMetadataLength, minSealedMetadataLength, sealMetadata, type Metadata } from './metadata.js';
import { keyLength, type HeaderSalts, type OpenedHeader, withMetadata } from './object-header.js';

export const directLimits = {
  /** Of what follows the length field, up to and with the MAC. */
  headerLength: 20_480,
  alternatives: 8,
  keys: 4,
  blobLength: 448,
} as const;

const macLength = 32;
const lengthEnd = 6;
const sealedKeyLength = bodyLength(keyLength);
export const maxDirectHeaderLength = lengthEnd + directLimits.headerLength;

/** One KMS key's part of an alternative. */
export interface DirectWrap {
  /** 16 bytes: which key of the binding's policies. */
  readonly ref: Uint8Array;
  /** What that KMS made of the secret. */
  readonly blob: Uint8Array;
}

export interface DirectAlternative {
  /** Refs ascending and different. */
  readonly wraps: readonly DirectWrap[];
  /** The data key, sealed under the combined secrets. */
  readonly sealed: Uint8Array;
}

/** What a writer has for an alternative: the wraps, and the 32-byte secrets in the same order. */
export interface DirectSecrets {
  readonly wraps: readonly DirectWrap[];
  readonly secrets: readonly Uint8Array[];
}

/** A header taken apart; nothing in it is authenticated yet. */
export interface DirectHeader {
  readonly alternatives: readonly DirectAlternative[];
  readonly metadata: Uint8Array;
  readonly mac: Uint8Array;
  /** Every byte before the MAC. */
  readonly authenticated: Uint8Array;
  /** Where the body begins. */
  readonly length: number;
}

function headerMac(
  engine: CryptoEngine,
  dataKey: Uint8Array,
  identity: IdentityDigest,
  authenticated: Uint8Array,
): Uint8Array {
  const key = deriveKey(engine, dataKey, 'header', identity.digest);
  const mac = engine.hmacSha512(key, authenticated).slice(0, macLength);
  wipe(key);
  return mac;
}

const refsOf = (alternative: { readonly wraps: readonly DirectWrap[] }): Uint8Array =>
  concat(...alternative.wraps.map((wrap) => wrap.ref));

function ascends(values: readonly Uint8Array[]): boolean {
  return values.every((value, i) => {
    const before = values[i - 1];
    return before === undefined || compareBytes(before, value) < 0;
  });
}

/**
 * Seals a fresh random `dataKey` for every alternative. The caller has sorted wraps and alternatives by their refs
 * and kept to {@link directLimits}; anything else is a bug and throws.
 */
export function sealDirectHeader(
  engine: CryptoEngine,
  alternatives: readonly DirectSecrets[],
  identity: IdentityDigest,
  dataKey: Uint8Array,
  metadata: Metadata,
  salts?: HeaderSalts,
): Uint8Array {
  const parts = alternatives.map(({ wraps, secrets }) => {
    const combined = combineSecrets(engine, secrets);
    const sealed = sealBody(engine, combined, identity.context('data-key'), dataKey, salts?.dataKey);
    wipe(combined);
    return lp(
      concat(Uint8Array.of(wraps.length), ...wraps.flatMap((wrap) => [wrap.ref, lp(wrap.blob)]), sealed),
    );
  });
  const content = concat(
    Uint8Array.of(parts.length),
    ...parts,
    lp(sealMetadata(engine, dataKey, identity, metadata, salts?.metadata)),
  );
  const authenticated = concat(formPrefix(form.directObject), u16(content.length + macLength), content);
  const header = concat(authenticated, headerMac(engine, dataKey, identity, authenticated));
  if (parseDirectHeader(header) === null) throw new Error('a direct header must be complete');
  return header;
}

/** Reads forward through bytes that are all there, or are not what they say. */
class Reader {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.bytes.length) throw new IntegrityFailure('direct header layout');
    const taken = this.bytes.slice(this.#at, end);
    this.#at = end;
    return taken;
  }

  byte(min: number, max: number): number {
    const value = this.take(1)[0] ?? 0;
    if (value < min || value > max) throw new IntegrityFailure('direct header count');
    return value;
  }

  prefixed(min: number, max: number): Uint8Array {
    const length = readU16(this.take(2), 0);
    if (length < min || length > max) throw new IntegrityFailure('direct header length');
    return this.take(length);
  }

  get rest(): number {
    return this.bytes.length - this.#at;
  }
}

function parseAlternative(bytes: Uint8Array): DirectAlternative {
  const reader = new Reader(bytes);
  const count = reader.byte(1, directLimits.keys);
  const wraps = Array.from({ length: count }, () => ({
    ref: reader.take(keyRefLength),
    blob: reader.prefixed(1, directLimits.blobLength),
  }));
  const sealed = reader.take(sealedKeyLength);
  if (reader.rest !== 0 || !ascends(wraps.map((wrap) => wrap.ref))) {
    throw new IntegrityFailure('direct header alternative');
  }
  return { wraps, sealed };
}

/**
 * Reads a header from the beginning of a direct object. Returns null if `bytes` is a beginning of one that may go on.
 * Throws `not-ciphertext`, `unsupported-form` or {@link IntegrityFailure}.
 */
export function parseDirectHeader(bytes: Uint8Array): DirectHeader | null {
  if (bytes.length < 4) return null;
  expectForm(bytes, form.directObject);
  if (bytes.length < lengthEnd) return null;
  const contentLength = readU16(bytes, 4);
  if (contentLength < macLength || contentLength > directLimits.headerLength) {
    throw new IntegrityFailure('direct header length');
  }
  const length = lengthEnd + contentLength;
  if (bytes.length < length) return null;
  const reader = new Reader(bytes.subarray(lengthEnd, length - macLength));
  const count = reader.byte(1, directLimits.alternatives);
  const alternatives = Array.from({ length: count }, () => parseAlternative(reader.prefixed(1, 0xffff)));
  const metadata = reader.prefixed(minSealedMetadataLength, maxSealedMetadataLength);
  if (reader.rest !== 0 || !ascends(alternatives.map(refsOf))) {
    throw new IntegrityFailure('direct header order');
  }
  return {
    alternatives,
    metadata,
    mac: bytes.slice(length - macLength, length),
    authenticated: bytes.slice(0, length - macLength),
    length,
  };
}

/**
 * Opens a header with the secrets of one of its alternatives, in the order of its refs. The data key is the caller's
 * to wipe. Throws {@link IntegrityFailure}.
 */
export function openDirectHeader(
  engine: CryptoEngine,
  header: DirectHeader,
  alternative: DirectAlternative,
  secrets: readonly Uint8Array[],
  identity: IdentityDigest,
): OpenedHeader {
  const combined = combineSecrets(engine, secrets);
  const dataKey = openBody(engine, combined, identity.context('data-key'), alternative.sealed);
  wipe(combined);
  if (!engine.equal(headerMac(engine, dataKey, identity, header.authenticated), header.mac)) {
    wipe(dataKey);
    throw new IntegrityFailure('direct header MAC');
  }
  return withMetadata(engine, dataKey, identity, header.metadata);
}
