/*
 * Ed25519 (RFC 8032) through WebCrypto, which `jose` signs and verifies with: the same in Node and browsers.
 */
import { base64url, concat, fromHex, wipe } from '../internal/bytes.js';

/** PKCS #8 of an Ed25519 private key is this prefix and the 32-byte seed (RFC 8410 §7). */
const pkcs8Prefix = fromHex('302e020100300506032b657004220420');
const algorithm = { name: 'Ed25519' } as const;

export interface SigningKey {
  readonly privateKey: CryptoKey;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The key pair of a 32-byte seed. The caller may wipe the seed afterwards. */
export async function signingKeyFromSeed(seed: Uint8Array): Promise<SigningKey> {
  const pkcs8 = concat(pkcs8Prefix, seed);
  try {
    const extractable = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);
    const { x } = await crypto.subtle.exportKey('jwk', extractable);
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
    return { privateKey, publicKey: base64url.decode(x ?? '') };
  } finally {
    wipe(pkcs8);
  }
}

/** A 32-byte public key, for verification only. Throws if it is no point of the curve where the platform checks. */
export function importPublicKey(publicKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(publicKey), algorithm, true, ['verify']);
}
