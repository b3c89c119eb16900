/**
 * The cryptographic primitives that everything above is built from. Two engines implement it, byte for byte
 * alike: `node:crypto` and a portable one on audited JavaScript. All methods are synchronous and neither keep nor
 * change the byte arrays they are given.
 */
export interface CryptoEngine {
  /** For diagnostics: `node`, `portable`. */
  readonly name: string;
  /** `length` bytes (0-65,536) from the platform's cryptographic generator, in an array of their own. */
  randomBytes(length: number): Uint8Array;
  /** SHA-512 (FIPS 180-4): 64 bytes. */
  sha512(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-512 (FIPS 198-1) with a key of any length: 64 bytes. */
  hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Constant-time equality for values of the same length; `false` for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Imports a 32-byte AES-256-GCM key (SP 800-38D). The caller may wipe its own copy afterwards. */
  aes256Gcm(key: Uint8Array): GcmKey;
}

/** An imported AES-256-GCM key. Tags are always 16 bytes, additional data always empty. */
export interface GcmKey {
  /**
   * Encrypts `plaintext` under a 12-byte `nonce` into `out`, whose length is `plaintext.length + 16`: ciphertext,
   * then tag. Uniqueness of the nonce is the caller's duty. `out` and `plaintext` do not overlap.
   */
  seal(nonce: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void;
  /**
   * Decrypts `sealed` (ciphertext, then tag; at least 16 bytes). Returns the plaintext in an array of its own, or
   * null if it does not authenticate; no plaintext is released then.
   */
  open(nonce: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  /** Drops the key as far as the runtime allows. Using it afterwards throws. */
  wipe(): void;
}

/** SP 800-38D §8.2: the tag length this library uses everywhere. */
export const tagLength = 16;
