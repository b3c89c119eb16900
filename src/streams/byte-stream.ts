import type { Readable } from 'node:stream';
import { KeyboundError } from '../errors.js';
import { fromUtf8, join } from '../internal/bytes.js';

/**
 * Bytes to be read once, in whichever way suits: iterate it, turn it into a web or Node stream, or collect it. Nothing
 * is read ahead: the source is asked as the reader asks. A reader that stops early (`break`, `cancel()`, `destroy()`)
 * releases everything. What fails stays failed, and a stream that was cut ends with an error, never just ends.
 *
 * Errors: `stream-consumed` when read a second time; otherwise those of the operation that returned it.
 */
export class ByteStream implements AsyncIterable<Uint8Array> {
  #source: AsyncGenerator<Uint8Array> | null;
  readonly #release: () => Promise<void>;

  /** @internal `release` (idempotent) frees what `source` holds when the reader gives up, read or not. */
  constructor(source: AsyncGenerator<Uint8Array>, release: () => Promise<void> = () => Promise.resolve()) {
    this.#source = source;
    this.#release = release;
  }

  #take(): AsyncGenerator<Uint8Array> {
    const source = this.#source;
    if (source === null) {
      throw new KeyboundError('stream-consumed', 'this stream was read already: get or encrypt it again');
    }
    this.#source = null;
    return source;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const source = this.#take();
    const iterator: AsyncGenerator<Uint8Array> = {
      next: () => source.next(),
      return: async (value) => {
        // A generator that was not begun would end without releasing anything.
        await this.#release();
        return source.return(value);
      },
      throw: async (error) => {
        await this.#release();
        return source.throw(error);
      },
      [Symbol.asyncIterator]: () => iterator,
      [Symbol.asyncDispose]: () => iterator.return(undefined).then(() => undefined),
    };
    return iterator;
  }

  /** Gives up a stream that will not be read. Does nothing to one that is being read: leave its loop instead. */
  async cancel(): Promise<void> {
    if (this.#source === null) return;
    const source = this.#take();
    await this.#release();
    await source.return(undefined);
  }

  /** As a web stream. */
  toWeb(): ReadableStream<Uint8Array> {
    const source = this.#take();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const next = await source.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: async () => {
          await this.#release();
          await source.return(undefined);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** As a Node stream, of bytes, not objects. Node only. */
  toNode(): Readable {
    const { Readable: NodeReadable } = process.getBuiltinModule('node:stream');
    const source = this.#take();
    return new NodeReadable({
      highWaterMark: 0,
      read() {
        source.next().then(
          ({ done, value }) => this.push(done === true ? null : value),
          (error: unknown) => this.destroy(error as Error),
        );
      },
      destroy: (error, done) => {
        this.#release()
          .then(() => source.return(undefined))
          .then(
            () => {
              done(error);
            },
            (failure: unknown) => {
              done(error ?? (failure as Error));
            },
          );
      },
    });
  }

  /** All of it, in an array of the caller's own. */
  async bytes(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this) parts.push(part);
    const [only, second] = parts;
    return only !== undefined && second === undefined ? only : join(parts);
  }

  /** All of it as strict UTF-8. Errors: `invalid-argument` if it is not. */
  async text(): Promise<string> {
    const bytes = await this.bytes();
    try {
      return fromUtf8(bytes);
    } catch {
      throw new KeyboundError(
        'invalid-argument',
        'expected UTF-8 text in the object, got other bytes: use bytes()',
      );
    }
  }

  /** All of it as JSON. Errors: `invalid-argument` if it is not. */
  async json(): Promise<unknown> {
    const text = await this.text();
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new KeyboundError(
        'invalid-argument',
        'expected JSON in the object, got something else: use text()',
      );
    }
  }
}
