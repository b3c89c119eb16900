import { gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { type CryptoEngine, type GcmKey } from './engine.js';

class PortableGcmKey implements GcmKey {
  #key: Uint8Array | null;

  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new RangeError(`expected a 32-byte key, got ${String(key.length)} bytes`);
    this.#key = key.slice();
  }

  get #live(): Uint8Array {
    if (this.#key === null) throw new Error('this key was wiped');
    return this.#key;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void {
    out.set(gcm(this.#live, nonce).encrypt(plaintext));
  }

  open(nonce: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const cipher = gcm(this.#live, nonce);
    try {
      return cipher.decrypt(sealed);
    } catch {
      // noble throws on one condition that callers cannot rule out: a tag that does not match.
      return null;
    }
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = null;
  }
}

/** The engine for browsers and other runtimes without `node:crypto`: @noble/ciphers and @noble/hashes. */
export const portableEngine: CryptoEngine = {
  name: 'portable',
  randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  sha512: (data) => sha512(data),
  hmacSha512: (key, data) => hmac(sha512, key, data),
  equal: (a, b) => {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
    return difference === 0;
  },
  aes256Gcm: (key) => new PortableGcmKey(key),
};

export { portableEngine as engine };
