import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import { release } from '../internal/large-arrays.js';
import { tagLength, type CryptoEngine, type GcmKey } from './engine.js';

const algorithm = 'aes-256-gcm';
const options = { authTagLength: tagLength };

/** A plain view on the same bytes: callers get a `Uint8Array`, never a `Buffer`. */
const plain = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

class NodeGcmKey implements GcmKey {
  // No KeyObject: making one takes as long as encrypting a small record, and it cannot be zeroed.
  #key: Uint8Array | null;

  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new RangeError(`expected a 32-byte key, got ${String(key.length)} bytes`);
    this.#key = new Uint8Array(key);
  }

  get #live(): Uint8Array {
    if (this.#key === null) throw new Error('this key was wiped');
    return this.#key;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void {
    const cipher = createCipheriv(algorithm, this.#live, nonce, options);
    const ciphertext = cipher.update(plaintext);
    out.set(ciphertext);
    release(ciphertext);
    cipher.final();
    out.set(cipher.getAuthTag(), plaintext.length);
  }

  open(nonce: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const split = sealed.length - tagLength;
    const decipher = createDecipheriv(algorithm, this.#live, nonce, options);
    decipher.setAuthTag(sealed.subarray(split));
    const plaintext = decipher.update(sealed.subarray(0, split));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return null;
    }
    return plain(plaintext);
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = null;
  }
}

/** The engine for Node services: OpenSSL through `node:crypto`. */
export const nodeEngine: CryptoEngine = {
  name: 'node',
  // Not randomBytes(): its Buffer may be a view of a shared pool.
  randomBytes: (length) => randomFillSync(new Uint8Array(length)),
  sha512: (data) => plain(createHash('sha512').update(data).digest()),
  hmacSha512: (key, data) => plain(createHmac('sha512', key).update(data).digest()),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  aes256Gcm: (key) => new NodeGcmKey(key),
};

export { nodeEngine as engine };
