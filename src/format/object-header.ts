/*
 * Object = "KBD" 0x02 ‖ u32 generation ‖ CB(NK_wrap, ctx("data-key"), DEK) ‖ lp(metadata) ‖ CB(DEK, ctx("object"), m)
 *
 * The header is everything before the last part.                                                SPEC.md §7
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { IntegrityFailure } from '../errors.js';
import { concat, lp, readU16, readU32, wipe } from '../internal/bytes.js';
import { bodyLength, openBody, sealBody } from './chunked-body.js';
import { expectForm, form, generationPrefix } from './form.js';
import { type IdentityDigest } from './identity.js';
import {
  maxSealedMetadataLength,
  minSealedMetadataLength,
  openMetadata,
  sealMetadata,
  type Metadata,
} from './metadata.js';

/** Data keys, namespace keys, signing seeds and the secrets that KMSs wrap are all this long. */
export const keyLength = 32;
const wrappedKeyStart = 8;
/** Everything before the sealed metadata, its length included. */
const fixedLength = wrappedKeyStart + bodyLength(keyLength) + 2;
export const maxObjectHeaderLength = fixedLength + maxSealedMetadataLength;

/** Salts, given only to reproduce known bytes in tests. */
export interface HeaderSalts {
  readonly dataKey: Uint8Array;
  readonly metadata: Uint8Array;
}

/** `wrapKey` is NK_wrap of `generation`; `dataKey` is fresh and random. */
export function sealObjectHeader(
  engine: CryptoEngine,
  wrapKey: Uint8Array,
  generation: number,
  identity: IdentityDigest,
  dataKey: Uint8Array,
  metadata: Metadata,
  salts?: HeaderSalts,
): Uint8Array {
  return concat(
    generationPrefix(form.object, generation),
    sealBody(engine, wrapKey, identity.context('data-key'), dataKey, salts?.dataKey),
    lp(sealMetadata(engine, dataKey, identity, metadata, salts?.metadata)),
  );
}

/** A header taken apart; nothing in it is authenticated yet. */
export interface ObjectHeader {
  readonly generation: number;
  readonly wrappedDataKey: Uint8Array;
  readonly metadata: Uint8Array;
  /** Where the body begins. */
  readonly length: number;
}

/**
 * Reads a header from the beginning of an object. Returns null if `bytes` is a beginning of one that may go on.
 * Throws `not-ciphertext`, `unsupported-form` or {@link IntegrityFailure}.
 */
export function parseObjectHeader(bytes: Uint8Array): ObjectHeader | null {
  if (bytes.length < 4) return null;
  expectForm(bytes, form.object);
  if (bytes.length < fixedLength) return null;
  const metadataLength = readU16(bytes, fixedLength - 2);
  if (metadataLength < minSealedMetadataLength || metadataLength > maxSealedMetadataLength) {
    throw new IntegrityFailure('metadata length');
  }
  const length = fixedLength + metadataLength;
  if (bytes.length < length) return null;
  return {
    generation: readU32(bytes, 4),
    wrappedDataKey: bytes.slice(wrappedKeyStart, fixedLength - 2),
    metadata: bytes.slice(fixedLength, length),
    length,
  };
}

/** An opened header. The data key is wiped if the metadata does not open. */
export interface OpenedHeader {
  readonly dataKey: Uint8Array;
  readonly metadata: Metadata;
}

export function withMetadata(
  engine: CryptoEngine,
  dataKey: Uint8Array,
  identity: IdentityDigest,
  sealed: Uint8Array,
): OpenedHeader {
  try {
    return { dataKey, metadata: openMetadata(engine, dataKey, identity, sealed) };
  } catch (error) {
    wipe(dataKey);
    throw error;
  }
}

/** Unwraps the data key, which is the caller's to wipe, and opens the metadata. Throws {@link IntegrityFailure}. */
export function openObjectHeader(
  engine: CryptoEngine,
  wrapKey: Uint8Array,
  identity: IdentityDigest,
  header: ObjectHeader,
): OpenedHeader {
  const dataKey = openBody(engine, wrapKey, identity.context('data-key'), header.wrappedDataKey);
  return withMetadata(engine, dataKey, identity, header.metadata);
}
