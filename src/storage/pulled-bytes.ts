import { KeyboundError } from '../errors.js';
import { type StoredBytes } from './store.js';

/** Where {@link PulledBytes} come from. */
export interface ByteSupply {
  /** The next piece, an array of the reader's own, or null at the end. Calls do not wait for each other. */
  pull(): Promise<Uint8Array | null>;
  /** Called once: at the end, on failure or when the reader leaves. */
  release(): Promise<void>;
}

/**
 * {@link StoredBytes} that are pulled from a supply. Released even if an iterator is left before its first step. Reading
 * twice, or on after a failure or `cancel`, is `stream-consumed`.
 */
export class PulledBytes implements StoredBytes {
  readonly #supply: ByteSupply;
  #taken = false;
  #ended = false;
  #released: Promise<void> | undefined;

  constructor(supply: ByteSupply) {
    this.#supply = supply;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#taken) throw consumed();
    this.#taken = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.#ended = true;
        await this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  cancel(): Promise<void> {
    this.#released ??= this.#supply.release();
    return this.#released;
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    if (this.#released !== undefined) throw consumed();
    try {
      const piece = await this.#supply.pull();
      if (piece !== null) return { done: false, value: piece };
      this.#ended = true;
    } catch (error) {
      await this.cancel();
      throw error;
    }
    await this.cancel();
    return { done: true, value: undefined };
  }
}

const consumed = (): KeyboundError =>
  new KeyboundError(
    'stream-consumed',
    'the bytes were read, cancelled or failed before: get the object again',
  );
