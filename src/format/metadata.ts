import { type CryptoEngine } from '../crypto/engine.js';
import { deriveKey } from '../crypto/kdf.js';
import { IntegrityFailure, KeyboundError } from '../errors.js';
import { fromUtf8, utf8, wipe } from '../internal/bytes.js';
import { parseJson, shape } from '../internal/shape.js';
import { bodyLength, openBody, sealBody } from './chunked-body.js';
import { type IdentityDigest } from './identity.js';

/** What travels, encrypted, with an object. */
export interface Metadata {
  /** MIME type, as the caller gave it. */
  readonly contentType?: string;
  readonly fileName?: string;
  /** The caller's own pairs. */
  readonly pairs?: Readonly<Record<string, string>>;
}

/** Design §4: JSON of at most 4 KiB. */
export const maxMetadataLength = 4096;
export const maxSealedMetadataLength = bodyLength(maxMetadataLength);
export const minSealedMetadataLength = bodyLength(2);

const metadataShape = shape.object({
  contentType: shape.optional(shape.string),
  fileName: shape.optional(shape.string),
  pairs: shape.optional(shape.record(shape.string)),
});

/** Checks and serialises metadata; members in one order, unknown ones refused. */
export function encodeMetadata(metadata: Metadata): Uint8Array {
  const { contentType, fileName, pairs } = metadataShape(metadata, 'metadata', (message) => {
    throw new KeyboundError('invalid-argument', message);
  });
  const json = JSON.stringify({ contentType, fileName, pairs });
  const bytes = utf8(json);
  if (bytes.length > maxMetadataLength) {
    throw new KeyboundError(
      'invalid-argument',
      `expected metadata of at most ${String(maxMetadataLength)} bytes as JSON, got ${String(bytes.length)}`,
    );
  }
  return bytes;
}

const metadataKey = (engine: CryptoEngine, dataKey: Uint8Array, identity: IdentityDigest): Uint8Array =>
  deriveKey(engine, dataKey, 'metadata', identity.digest);

/** CB(X(DEK, "metadata", SHA-512(A)), ctx("metadata"), JSON). `salt` only for known-answer tests. */
export function sealMetadata(
  engine: CryptoEngine,
  dataKey: Uint8Array,
  identity: IdentityDigest,
  metadata: Metadata,
  salt?: Uint8Array,
): Uint8Array {
  const key = metadataKey(engine, dataKey, identity);
  const sealed = sealBody(engine, key, identity.context('metadata'), encodeMetadata(metadata), salt);
  wipe(key);
  return sealed;
}

export function openMetadata(
  engine: CryptoEngine,
  dataKey: Uint8Array,
  identity: IdentityDigest,
  sealed: Uint8Array,
): Metadata {
  const key = metadataKey(engine, dataKey, identity);
  const bytes = openBody(engine, key, identity.context('metadata'), sealed);
  wipe(key);
  const fail = (): never => {
    throw new IntegrityFailure('metadata is not what this version writes');
  };
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    return fail();
  }
  return metadataShape(parseJson(text, fail), 'metadata', fail);
}
