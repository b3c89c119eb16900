import { concat, utf8, wipe } from '../internal/bytes.js';
import { type CryptoEngine } from './engine.js';

/** SHA-512 output, the block size of the RFC 5869 loop. */
const hashLength = 64;
const zero = Uint8Array.of(0);

/**
 * HKDF-Expand with SHA-512 (RFC 5869 §2.3), without the Extract step: `key` is uniform already.
 * `length` is 1 to 255 × 64 bytes.
 */
export function hkdfExpand(
  engine: CryptoEngine,
  key: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const blocks = Math.ceil(length / hashLength);
  // RFC 5869 §2.3: the block counter is one byte.
  if (blocks < 1 || blocks > 255) {
    throw new RangeError(
      `expected a length of 1 to ${String(255 * hashLength)} bytes, got ${String(length)}`,
    );
  }
  const out = new Uint8Array(blocks * hashLength);
  // The block before, which the first does without, then info and counter.
  const input = new Uint8Array(hashLength + info.length + 1);
  input.set(info, hashLength);
  for (let counter = 1; counter <= blocks; counter++) {
    input[input.length - 1] = counter;
    const block = engine.hmacSha512(key, counter === 1 ? input.subarray(hashLength) : input);
    out.set(block, (counter - 1) * hashLength);
    input.set(block);
    wipe(block);
  }
  wipe(input);
  return out.subarray(0, length);
}

/** `X(K, label, ctx)` of design §4: a 32-byte key for one labelled purpose. */
export function deriveKey(
  engine: CryptoEngine,
  key: Uint8Array,
  label: string,
  context: Uint8Array,
): Uint8Array {
  return hkdfExpand(engine, key, concat(utf8(`keybound/v1/${label}`), zero, context), 32);
}

const allOfLabel = utf8('keybound/v1/all-of');

/**
 * `comb` of design §4: one key from the 32-byte secrets of an all-of, given in the order of their key refs. Knowing
 * all but one of them says nothing about it.
 */
export function combineSecrets(engine: CryptoEngine, secrets: readonly Uint8Array[]): Uint8Array {
  const joined = concat(...secrets);
  const mac = engine.hmacSha512(allOfLabel, joined);
  wipe(joined);
  return mac.subarray(0, 32);
}
