import { type CryptoEngine } from '../crypto/engine.js';
import { utf8 } from '../internal/bytes.js';

export const keyRefLength = 16;

/** SHA-512(canonical key URI)[:16]: names a key of a policy in few bytes, and gives keys their byte order. */
export function keyRef(engine: CryptoEngine, uri: string): Uint8Array {
  return engine.sha512(utf8(uri)).slice(0, keyRefLength);
}
