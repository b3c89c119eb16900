import { KeyboundError } from '../errors.js';
import { isBytes } from '../internal/bytes.js';
import { kindOf } from '../internal/quote.js';
import { checkSignal, withSignal } from '../internal/signal.js';

/**
 * Where bytes come from: an array of bytes, a `Blob` or `File`, a web `ReadableStream`, a Node `Readable`, or any
 * (async) iterable of byte arrays. Bytes given must not change until the operation has ended. Strings are refused:
 * encode them first.
 */
export type ByteSource =
  Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Pieces of a large array are handed on in this size, so that no single step takes long. */
const pieceSize = 256 * 1024;

/** Whether the source can be read from the start a second time. */
export const isReplayable = (source: ByteSource): boolean => isBytes(source) || source instanceof Blob;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
}

/** A source that is being read. */
interface OpenSource {
  readonly pieces: AsyncIterable<unknown> | Iterable<unknown>;
  /** Makes it let go of what it holds, also before it was read and while it hangs. */
  readonly release: () => unknown;
}

const nothingToRelease = (): void => undefined;

/** A web stream, also where the platform's own streams are no iterables. */
function fromWebStream(stream: ReadableStream<Uint8Array>): OpenSource {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const iterator: AsyncIterator<unknown> = {
    next: async () => {
      reader ??= stream.getReader();
      const next = await reader.read();
      if (next.done) reader.releaseLock();
      return next;
    },
  };
  return {
    pieces: { [Symbol.asyncIterator]: () => iterator },
    release: async () => {
      // Not that of a reader who had it first.
      if (reader === undefined && stream.locked) return;
      await (reader ?? stream).cancel();
      reader?.releaseLock();
    },
  };
}

/**
 * A Node stream may fail before it is read, while a key is being unwrapped: an error event that nobody hears would end
 * the process. Its iterator reports the error all the same.
 */
function hearErrors(source: object): void {
  const { on } = source as { on?: unknown };
  if (typeof on === 'function' && has(source, 'destroy')) on.call(source, 'error', nothingToRelease);
}

/** What was given instead of bytes, and what to do about the likely mistakes. */
function mistaken(value: unknown): string {
  if (typeof value === 'string') return 'string; encode it first, for example with new TextEncoder()';
  return value instanceof ArrayBuffer ? 'an ArrayBuffer; give new Uint8Array(it)' : kindOf(value);
}

const has = (value: object, key: PropertyKey): boolean => key in value;

/** Checks what kind of source this is, now; throws `invalid-argument`. */
function open(source: ByteSource): OpenSource {
  if (isBytes(source)) return { pieces: slices(source), release: nothingToRelease };
  if (source instanceof Blob) return fromWebStream(source.stream());
  if (typeof source === 'object' && (source as unknown) !== null) {
    if (source instanceof ReadableStream) return fromWebStream(source);
    if (has(source, Symbol.asyncIterator) || has(source, Symbol.iterator)) {
      hearErrors(source);
      return {
        pieces: source as AsyncIterable<unknown> | Iterable<unknown>,
        // A Node stream: its iterator alone would wait for the read under way.
        release: has(source, 'destroy')
          ? () => {
              (source as unknown as { destroy(): void }).destroy();
            }
          : nothingToRelease,
      };
    }
  }
  throw new KeyboundError(
    'invalid-argument',
    `expected bytes (Uint8Array, Blob, stream or iterable of Uint8Array), got ${mistaken(source)}`,
  );
}

/** Begins it now. Nobody waits for it, and its failure changes nothing. */
function inBackground(work: () => unknown): void {
  void new Promise((resolve) => {
    resolve(work());
  }).catch(() => undefined);
}

/**
 * The bytes of a source, piece by piece, as fast as they are asked for. What the source throws becomes `source-failed`.
 * `return()`, or leaving a loop early, lets the source release what it holds, whether reading had begun or not; a read
 * that hangs meanwhile ends as `aborted`. Throws `invalid-argument` at once for what is no source. `about` may say of an
 * error what it is about.
 */
export function readSource(
  source: ByteSource,
  signal?: AbortSignal,
  about: (error: unknown) => unknown = (error) => error,
): AsyncGenerator<Uint8Array> {
  const opened = open(source);
  const left = new AbortController();
  const pieces = pump(opened, signal, left.signal, about);
  let started = false;
  const reader: AsyncGenerator<Uint8Array> = {
    next: () => {
      started = true;
      return pieces.next();
    },
    return: (value) => {
      if (!started) inBackground(opened.release);
      started = true;
      left.abort();
      return pieces.return(value);
    },
    throw: (error) => pieces.throw(error),
    [Symbol.asyncIterator]: () => reader,
    [Symbol.asyncDispose]: () => reader.return(undefined).then(() => undefined),
  };
  return reader;
}

async function* pump(
  { pieces, release }: OpenSource,
  signal: AbortSignal | undefined,
  left: AbortSignal,
  about: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  let ended = false;
  try {
    for (;;) {
      checkSignal(signal);
      const next = await withSignal(
        withSignal(
          nextOf(() => (iterator ??= iteratorOf(pieces))),
          signal,
        ),
        left,
      );
      if (next.done === true) break;
      const { value } = next;
      if (!isBytes(value)) {
        throw new KeyboundError(
          'source-failed',
          `expected the source to give Uint8Arrays, got ${kindOf(value)}`,
        );
      }
      if (value.length > pieceSize) yield* slices(value);
      else yield value;
    }
    ended = true;
  } catch (error) {
    throw about(error);
  } finally {
    // Not awaited: a source that hangs must not keep its reader from ending.
    if (!ended) {
      inBackground(() => iterator?.return?.());
      inBackground(release);
    }
  }
}

const iteratorOf = (
  pieces: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncIterator<unknown> | Iterator<unknown> =>
  Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();

/** What the source, or its iterator when it is made, throws becomes `source-failed`. */
async function nextOf(
  iterator: () => AsyncIterator<unknown> | Iterator<unknown>,
): Promise<IteratorResult<unknown>> {
  try {
    return await iterator().next();
  } catch (error) {
    if (error instanceof KeyboundError) throw error;
    throw new KeyboundError('source-failed', 'the source of the data failed', { cause: error });
  }
}
