import { KeyboundError } from '../errors.js';
import { isBytes } from '../internal/bytes.js';
import { kindOf } from '../internal/quote.js';
import { checkSignal, withSignal } from '../internal/signal.js';

/**
 * Pulls a byte source once, in pieces of one size however it was cut, and gives it back when it is not read to the
 * end. Make it before anything can fail, and call `close` whatever happens.
 */
export class SourceReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: Uint8Array;
  #rest: Uint8Array = new Uint8Array(0);
  #state: 'open' | 'pulling' | 'ended' = 'open';
  #thrown: { readonly error: unknown } | undefined;

  /** Throws `invalid-argument` for what cannot be iterated. */
  constructor(source: AsyncIterable<Uint8Array>, pieceSize: number, signal: AbortSignal | undefined) {
    // The type promises it; callers of plain JavaScript do not.
    const given = source as Partial<AsyncIterable<Uint8Array>> | null | undefined;
    if (typeof given?.[Symbol.asyncIterator] !== 'function') {
      throw new KeyboundError(
        'invalid-argument',
        `expected an async iterable of bytes, got ${kindOf(source)}`,
      );
    }
    this.#iterator = source[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#buffer = new Uint8Array(pieceSize);
  }

  /**
   * The next `pieceSize` bytes, at the end perhaps fewer, then null. The piece is valid until the next call. Throws what
   * the source throws, `aborted` even while the source hangs, and `source-failed` for what is not bytes.
   */
  async next(): Promise<Uint8Array | null> {
    let length = 0;
    while (length < this.#buffer.length) {
      if (this.#rest.length === 0) {
        const piece = await this.#pull();
        if (piece === null) break;
        this.#rest = piece;
      }
      const part = this.#rest.subarray(0, this.#buffer.length - length);
      this.#buffer.set(part, length);
      this.#rest = this.#rest.subarray(part.length);
      length += part.length;
    }
    return length === 0 ? null : this.#buffer.subarray(0, length);
  }

  /** Whether `error` is what the source itself threw, to be passed on unchanged. */
  threw(error: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown.error === error;
  }

  /** Tells the source that no more is wanted, unless it has ended. Never throws: the reason for closing matters more. */
  async close(): Promise<void> {
    if (this.#state === 'ended') return;
    const hanging = this.#state === 'pulling';
    this.#state = 'ended';
    const returned = this.#return();
    // A generator answers only after the pull that it hangs in.
    if (!hanging) await returned;
  }

  async #pull(): Promise<Uint8Array | null> {
    if (this.#state === 'ended') return null;
    checkSignal(this.#signal);
    this.#state = 'pulling';
    const { done, value } = await withSignal(this.#ask(), this.#signal);
    this.#state = done === true ? 'ended' : 'open';
    if (done === true) return null;
    if (!isBytes(value)) throw new KeyboundError('source-failed', 'expected the source to yield Uint8Array');
    return value;
  }

  async #ask(): Promise<IteratorResult<Uint8Array, unknown>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      this.#thrown = { error };
      this.#state = 'ended';
      throw error;
    }
  }

  async #return(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // See `close`.
    }
  }
}
