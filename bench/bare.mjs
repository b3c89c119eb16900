/*
 * What everything is compared with: node:crypto doing no more than AES-256-GCM needs. No key is wrapped, no lease checked,
 * no name bound, nothing joined: ciphertext and tag stay the two arrays that Node hands out.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const suite = 'aes-256-gcm';
const tagLength = 16;
/** That of an object's chunks (SPEC.md). */
const chunkSize = 16_384;

const key = randomBytes(32);

/** The nonce of chunk `index`. */
function nonceOf(index) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 8);
  return nonce;
}

/** Encrypts a piece chunk by chunk, to nowhere, and says how many chunks came before the next piece. */
export function encrypt(piece, index = 0) {
  for (let at = 0; at < piece.length; at += chunkSize) {
    const cipher = createCipheriv(suite, key, nonceOf(index++));
    cipher.update(piece.subarray(at, at + chunkSize));
    cipher.final();
    cipher.getAuthTag();
  }
  return index;
}

/** What {@link decrypt} takes: every chunk with its tag behind it. */
export function sealed(bytes) {
  const parts = [];
  for (let at = 0, index = 0; at < bytes.length; at += chunkSize) {
    const cipher = createCipheriv(suite, key, nonceOf(index++));
    parts.push(cipher.update(bytes.subarray(at, at + chunkSize)), cipher.final(), cipher.getAuthTag());
  }
  return Buffer.concat(parts);
}

/** Decrypts {@link sealed} bytes chunk by chunk, to nowhere. */
export function decrypt(bytes) {
  const sealedSize = chunkSize + tagLength;
  for (let at = 0, index = 0; at < bytes.length; at += sealedSize) {
    const chunk = bytes.subarray(at, at + sealedSize);
    const decipher = createDecipheriv(suite, key, nonceOf(index++), { authTagLength: tagLength });
    decipher.setAuthTag(chunk.subarray(-tagLength));
    decipher.update(chunk.subarray(0, -tagLength));
    decipher.final();
  }
}

/** One call under one key and a random nonce, as one would encrypt a field without us. */
export function encryptOnce(bytes) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv(suite, key, nonce);
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

export function decryptOnce(bytes) {
  const decipher = createDecipheriv(suite, key, bytes.subarray(0, 12), { authTagLength: tagLength });
  decipher.setAuthTag(bytes.subarray(-tagLength));
  return Buffer.concat([decipher.update(bytes.subarray(12, -tagLength)), decipher.final()]);
}
