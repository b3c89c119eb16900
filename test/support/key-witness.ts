import { vi } from 'vitest';
import { nodeEngine } from '../../src/crypto/node.js';

/** A secret that exists or existed, and in words what it was seen as. */
export interface Secret {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/**
 * Watches the engine from now on, and remembers every key that it makes, derives or is given: random bytes of a key's
 * length, AES and HMAC keys, and the first 32 bytes of each HMAC, which are what HKDF and all-of give out as keys.
 */
export class KeyWitness {
  readonly #seen = new Map<string, Secret>();
  /** As what keys were seen; one and the same may have been seen as several. */
  readonly kinds = new Set<string>();

  constructor() {
    const engine = { ...nodeEngine };
    vi.spyOn(nodeEngine, 'randomBytes').mockImplementation((length) => {
      const bytes = engine.randomBytes(length);
      if (length === 32) this.add('32 random bytes', bytes);
      return bytes;
    });
    vi.spyOn(nodeEngine, 'hmacSha512').mockImplementation((key, data) => {
      const mac = engine.hmacSha512(key, data);
      if (key.length === 32) this.add('an HMAC key', key);
      this.add('a derived key', mac.subarray(0, 32));
      return mac;
    });
    vi.spyOn(nodeEngine, 'aes256Gcm').mockImplementation((key) => {
      this.add('an AES key', key);
      return engine.aes256Gcm(key);
    });
  }

  /** Remembers a copy. */
  add(what: string, bytes: Uint8Array): void {
    this.kinds.add(what);
    const id = Buffer.from(bytes).toString('hex');
    if (!this.#seen.has(id)) this.#seen.set(id, { what, bytes: new Uint8Array(bytes) });
  }

  get secrets(): Secret[] {
    return [...this.#seen.values()];
  }
}
