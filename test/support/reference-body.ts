/*
 * What C2SP chunked-encryption says, written down a second time on node:crypto alone and with BigInt, to judge
 * src/format/chunked-body.ts by. https://c2sp.org/chunked-encryption
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { fromHexText, join } from './bytes.js';

export interface ReferenceKeys {
  readonly aeadKey: Uint8Array;
  readonly baseNonce: Uint8Array;
  readonly commitment: Uint8Array;
}

export function referenceKeys(key: Uint8Array, salt: Uint8Array, context: Uint8Array): ReferenceKeys {
  const info = join([Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), salt, context]);
  const first = createHmac('sha512', key).update(info).update(Uint8Array.of(1)).digest();
  const second = createHmac('sha512', key).update(first).update(info).update(Uint8Array.of(2)).digest();
  const derived = join([first, second]);
  return {
    aeadKey: derived.slice(0, 32),
    baseNonce: derived.slice(32, 44),
    commitment: derived.slice(44, 76),
  };
}

type ChunkKeys = Pick<ReferenceKeys, 'aeadKey' | 'baseNonce'>;

function referenceNonce(baseNonce: Uint8Array, index: bigint): Uint8Array {
  const nonce = BigInt(`0x${Buffer.from(baseNonce).toString('hex')}`) ^ index;
  return fromHexText(nonce.toString(16).padStart(24, '0'));
}

export function referenceSealChunk(keys: ChunkKeys, index: bigint, plaintext: Uint8Array): Uint8Array {
  const nonce = referenceNonce(keys.baseNonce, index);
  const cipher = createCipheriv('aes-256-gcm', keys.aeadKey, nonce, { authTagLength: 16 });
  return join([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The chunk's plaintext, or null if it does not authenticate. */
export function referenceOpenChunk(keys: ChunkKeys, index: bigint, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < 16) return null;
  const nonce = referenceNonce(keys.baseNonce, index);
  const decipher = createDecipheriv('aes-256-gcm', keys.aeadKey, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  const plaintext = decipher.update(sealed.subarray(0, -16));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return new Uint8Array(plaintext);
}

/** The plaintext of the full chunks with which `body` truly begins, and of a final one if it ends as it should. */
export function referencePrefix(keys: ChunkKeys, body: Uint8Array): Uint8Array {
  const opened: Uint8Array[] = [];
  for (let at = 56; ; at += 16_400) {
    const chunk = referenceOpenChunk(keys, BigInt(opened.length), body.subarray(at, at + 16_400));
    if (chunk === null) return join(opened);
    opened.push(chunk);
  }
}
