/*
 * CB(K, context, m): C2SP chunked-encryption with AES-256-GCM and HKDF-Expand-SHA-512 (Cobblestone-256).
 *
 *   CB        = salt 24 ‖ commitment 32 ‖ chunk 0 ‖ chunk 1 ‖ … ‖ final chunk
 *   chunk k   = AES-256-GCM(key, base nonce XOR k, 16,384 bytes of m)     final chunk: 0 to 16,383 bytes
 *   key 32 ‖ base nonce 12 ‖ commitment 32 = HKDF-Expand-SHA-512(K, suite ‖ 0x00 ‖ salt ‖ context)
 *
 * https://c2sp.org/chunked-encryption, SPEC.md §4
 */
import { hkdfExpand } from '../crypto/kdf.js';
import { tagLength, type CryptoEngine, type GcmKey } from '../crypto/engine.js';
import { concat, utf8, wipe } from '../internal/bytes.js';
import { release, unfilled } from '../internal/large-arrays.js';
import { IntegrityFailure, KeyboundError } from '../errors.js';

export const chunkSize = 16_384;
export const sealedChunkSize = chunkSize + tagLength;
export const saltLength = 24;
const commitmentLength = 32;
/** Salt and commitment, before the first chunk. */
export const bodyHeaderLength = saltLength + commitmentLength;
/** Design §4: 2^32 chunks, of which the final one is short. */
const maxChunks = 2 ** 32;
export const maxPlaintextSize = maxChunks * chunkSize - 1;

const suite = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');

interface BodyKeys {
  readonly gcm: GcmKey;
  readonly nonces: ChunkNonces;
  readonly commitment: Uint8Array;
}

function deriveBodyKeys(
  engine: CryptoEngine,
  key: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
): BodyKeys {
  // HMAC would take any length; the C2SP specification takes one.
  if (key.length !== 32) throw new RangeError(`expected a 32-byte key, got ${String(key.length)} bytes`);
  const derived = hkdfExpand(engine, key, concat(suite, salt, context), 76);
  const keys = {
    gcm: engine.aes256Gcm(derived.subarray(0, 32)),
    nonces: new ChunkNonces(derived.subarray(32, 44)),
    commitment: derived.slice(44, 76),
  };
  wipe(derived);
  return keys;
}

/** The nonces of chunks: base nonce XOR k, with k as a big-endian number of the nonce's width. */
class ChunkNonces {
  readonly #nonce: Uint8Array;
  readonly #last: DataView;
  readonly #base: number;

  constructor(baseNonce: Uint8Array) {
    this.#nonce = baseNonce.slice();
    this.#last = new DataView(this.#nonce.buffer, 8);
    this.#base = this.#last.getUint32(0);
  }

  /** In an array that the next call overwrites: engines keep none. `index` is below 2^32. */
  at(index: number): Uint8Array {
    this.#last.setUint32(0, this.#base ^ index);
    return this.#nonce;
  }
}

/** The keys of a body whose `header` is salt and commitment. Throws {@link IntegrityFailure}. */
function openHeader(
  engine: CryptoEngine,
  key: Uint8Array,
  context: Uint8Array,
  header: Uint8Array,
): BodyKeys {
  if (header.length !== bodyHeaderLength) throw new IntegrityFailure('body header cut short');
  const keys = deriveBodyKeys(engine, key, header.subarray(0, saltLength), context);
  if (engine.equal(keys.commitment, header.subarray(saltLength))) return keys;
  keys.gcm.wipe();
  throw new IntegrityFailure('commitment');
}

/** The plaintext of one chunk, the final one or another. Throws {@link IntegrityFailure}. */
function openChunk({ gcm, nonces }: BodyKeys, index: number, sealed: Uint8Array): Uint8Array {
  if (sealed.length < tagLength) throw new IntegrityFailure('cut at or near a chunk boundary');
  const plaintext = index < maxChunks ? gcm.open(nonces.at(index), sealed) : null;
  if (plaintext === null) throw new IntegrityFailure(`chunk ${String(index)}`);
  return plaintext;
}

/** Length of the plaintext in a body of `length` bytes, or null if no body has that length. */
export function plaintextSize(length: number): number | null {
  const sealed = length - bodyHeaderLength;
  if (sealed < tagLength) return null;
  const full = Math.floor(sealed / sealedChunkSize);
  if (sealed - full * sealedChunkSize < tagLength || full >= maxChunks) return null;
  return sealed - (full + 1) * tagLength;
}

/** Length of the body that holds `size` bytes of plaintext. */
export function bodyLength(size: number): number {
  return bodyHeaderLength + size + (Math.floor(size / chunkSize) + 1) * tagLength;
}

/**
 * Splits a stream of bytes into pieces of one length, copying only what crosses the edge of an input.
 * `take` is called with a view that is valid during the call.
 */
class Regrouper {
  #held: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#held = new Uint8Array(size);
  }

  /** How many whole pieces there are once `length` more bytes arrive. */
  whole(length: number): number {
    return Math.floor((this.#length + length) / this.#held.length);
  }

  push(data: Uint8Array, take: (piece: Uint8Array) => void): void {
    const size = this.#held.length;
    let at = 0;
    if (this.#length > 0) {
      at = Math.min(size - this.#length, data.length);
      this.#held.set(data.subarray(0, at), this.#length);
      this.#length += at;
      if (this.#length < size) return;
      this.#length = 0;
      take(this.#held);
    }
    for (; data.length - at >= size; at += size) take(data.subarray(at, at + size));
    this.#held.set(data.subarray(at));
    this.#length = data.length - at;
  }

  get rest(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  wipe(): void {
    wipe(this.#held);
    this.#length = 0;
  }
}

/**
 * Encrypts one message, piece by piece. `header` comes first, then what `push` returns, then what `end` returns.
 * Used once: after `end` or `wipe` it refuses everything.
 */
export class BodySealer {
  /** Salt and commitment. */
  readonly header: Uint8Array;
  readonly #keys: BodyKeys;
  readonly #pieces = new Regrouper(chunkSize);
  #index = 0;
  #done = false;

  /** `salt` is given only to reproduce known bytes in tests; otherwise it is random. */
  constructor(
    engine: CryptoEngine,
    key: Uint8Array,
    context: Uint8Array,
    salt: Uint8Array = engine.randomBytes(saltLength),
  ) {
    this.#keys = deriveBodyKeys(engine, key, salt, context);
    this.header = concat(salt, this.#keys.commitment);
  }

  /** Takes any number of bytes and returns the chunks they complete (perhaps none), in an array of their own. */
  push(data: Uint8Array): Uint8Array {
    if (this.#done) throw new Error('this encryptor was used already');
    const whole = this.#pieces.whole(data.length);
    if (this.#index + whole > maxChunks - 1) {
      throw new KeyboundError(
        'too-large',
        `expected at most ${String(maxPlaintextSize)} bytes in one object`,
      );
    }
    const out = unfilled(whole * sealedChunkSize);
    let at = 0;
    this.#pieces.push(data, (piece) => {
      this.#seal(piece, out.subarray(at, at + sealedChunkSize));
      at += sealedChunkSize;
    });
    return out;
  }

  /** The final chunk. */
  end(): Uint8Array {
    if (this.#done) throw new Error('this encryptor was used already');
    const out = new Uint8Array(this.#pieces.rest.length + tagLength);
    this.#seal(this.#pieces.rest, out);
    this.wipe();
    return out;
  }

  #seal(piece: Uint8Array, out: Uint8Array): void {
    this.#keys.gcm.seal(this.#keys.nonces.at(this.#index), piece, out);
    this.#index++;
  }

  wipe(): void {
    this.#done = true;
    this.#keys.gcm.wipe();
    this.#pieces.wipe();
  }
}

/**
 * Decrypts one message, or a run of its chunks, piece by piece; gives out only what has authenticated. The
 * constructor compares the commitment and throws {@link IntegrityFailure} under a wrong key or context. A failed
 * opener stays failed.
 */
export class BodyOpener {
  readonly #keys: BodyKeys;
  readonly #pieces = new Regrouper(sealedChunkSize);
  #index: number;
  #done = false;

  /** `header` is salt and commitment (56 bytes); `firstChunk` is the index of the first chunk to be pushed. */
  constructor(
    engine: CryptoEngine,
    key: Uint8Array,
    context: Uint8Array,
    header: Uint8Array,
    firstChunk = 0,
  ) {
    this.#keys = openHeader(engine, key, context, header);
    this.#index = firstChunk;
  }

  /** Takes any number of sealed bytes and returns the plaintext of the chunks they complete. */
  push(data: Uint8Array): Uint8Array {
    this.#check();
    const out = unfilled(this.#pieces.whole(data.length) * chunkSize);
    let at = 0;
    this.#pieces.push(data, (piece) => {
      const plaintext = this.#open(piece);
      out.set(plaintext, at);
      release(plaintext);
      at += chunkSize;
    });
    return out;
  }

  /** Opens what is left as the final chunk. Throws if that is not what it is: the stream was cut. */
  end(): Uint8Array {
    this.#check();
    const plaintext = this.#open(this.#pieces.rest);
    this.wipe();
    return plaintext;
  }

  /** Ends a run of chunks that stops before the final one. Throws if a chunk is left incomplete. */
  endBeforeFinal(): void {
    this.#check();
    const complete = this.#pieces.rest.length === 0;
    this.wipe();
    if (!complete) throw new IntegrityFailure('range cut short');
  }

  #check(): void {
    if (this.#done) throw new IntegrityFailure('stream used after it ended or failed');
  }

  #open(sealed: Uint8Array): Uint8Array {
    try {
      return openChunk(this.#keys, this.#index++, sealed);
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  wipe(): void {
    this.#done = true;
    this.#keys.gcm.wipe();
    this.#pieces.wipe();
  }
}

/** `CB(key, context, plaintext)` in one piece. `salt` only for known-answer tests. */
export function sealBody(
  engine: CryptoEngine,
  key: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
  salt: Uint8Array = engine.randomBytes(saltLength),
): Uint8Array {
  const { gcm, nonces, commitment } = deriveBodyKeys(engine, key, salt, context);
  const out = unfilled(bodyLength(plaintext.length));
  out.set(salt);
  out.set(commitment, saltLength);
  const sealed = out.subarray(bodyHeaderLength);
  for (let index = 0; index * sealedChunkSize < sealed.length; index++) {
    gcm.seal(
      nonces.at(index),
      plaintext.subarray(index * chunkSize, (index + 1) * chunkSize),
      sealed.subarray(index * sealedChunkSize, (index + 1) * sealedChunkSize),
    );
  }
  gcm.wipe();
  return out;
}

/** The plaintext of a whole body, in an array of its own. Throws {@link IntegrityFailure}. */
export function openBody(
  engine: CryptoEngine,
  key: Uint8Array,
  context: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const keys = openHeader(engine, key, context, body.subarray(0, bodyHeaderLength));
  const size = plaintextSize(body.length);
  const out = unfilled(size ?? 0);
  try {
    if (size === null) throw new IntegrityFailure('cut at or near a chunk boundary');
    for (let index = 0; index * chunkSize <= size; index++) {
      const start = bodyHeaderLength + index * sealedChunkSize;
      const plaintext = openChunk(keys, index, body.subarray(start, start + sealedChunkSize));
      out.set(plaintext, index * chunkSize);
      // It may be a key: what was joined leaves no second copy behind.
      wipe(plaintext);
    }
    return out;
  } catch (error) {
    wipe(out);
    throw error;
  } finally {
    keys.gcm.wipe();
  }
}
