import { KeyboundError } from '../errors.js';
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
export const isReplayable = (source: ByteSource): boolean =>
  source instanceof Uint8Array || source instanceof Blob;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
}

/** A web stream as an iterable, also where the platform's own streams are not. Leaving early cancels it. */
async function* fromWebStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) break;
      yield next.value;
    }
    ended = true;
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

const has = (value: object, key: PropertyKey): boolean => key in value;

/** Checks what kind of source this is, now; throws `invalid-argument`. */
function open(source: ByteSource): AsyncIterable<unknown> | Iterable<unknown> {
  if (source instanceof Uint8Array) return slices(source);
  if (source instanceof Blob) return fromWebStream(source.stream());
  if (typeof source === 'object' && (source as unknown) !== null) {
    if (has(source, Symbol.asyncIterator) || has(source, Symbol.iterator)) {
      return source as AsyncIterable<unknown> | Iterable<unknown>;
    }
    if (source instanceof ReadableStream) return fromWebStream(source);
  }
  const got = (source as unknown) === null ? 'null' : typeof source;
  throw new KeyboundError(
    'invalid-argument',
    `expected bytes (Uint8Array, Blob, stream or iterable of Uint8Array), got ${got}` +
      (got === 'string' ? '; encode it first, for example with new TextEncoder()' : ''),
  );
}

/** Tells a source that will never be read to let go of what it holds. */
function release(source: ByteSource): void {
  if (source instanceof Uint8Array || source instanceof Blob) return;
  if ('destroy' in source) (source as unknown as { destroy(): void }).destroy();
  else if (source instanceof ReadableStream && !source.locked) void source.cancel().catch(() => undefined);
}

/**
 * The bytes of a source, piece by piece, as fast as they are asked for. What the source throws becomes `source-failed`.
 * `return()`, or leaving a loop early, lets the source release what it holds, whether reading had begun or not.
 * Throws `invalid-argument` at once for what is no source.
 */
export function readSource(source: ByteSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const pieces = pump(open(source), signal);
  let started = false;
  const reader: AsyncGenerator<Uint8Array> = {
    next: () => {
      started = true;
      return pieces.next();
    },
    return: (value) => {
      if (!started) release(source);
      started = true;
      return pieces.return(value);
    },
    throw: (error) => pieces.throw(error),
    [Symbol.asyncIterator]: () => reader,
    [Symbol.asyncDispose]: () => reader.return(undefined).then(() => undefined),
  };
  return reader;
}

async function* pump(
  pieces: AsyncIterable<unknown> | Iterable<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator =
    Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  let ended = false;
  try {
    for (;;) {
      checkSignal(signal);
      const next = await nextOf(iterator, signal);
      if (next.done === true) break;
      const { value } = next;
      if (!(value instanceof Uint8Array)) {
        throw new KeyboundError(
          'source-failed',
          `expected the source to give Uint8Arrays, got ${value === null ? 'null' : typeof value}`,
        );
      }
      if (value.length > pieceSize) yield* slices(value);
      else yield value;
    }
    ended = true;
  } finally {
    // Not awaited: a source that hangs must not keep its reader from ending.
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function nextOf(
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<unknown>> {
  const next = new Promise<IteratorResult<unknown>>((resolve) => {
    resolve(iterator.next());
  }).catch((error: unknown) => {
    if (error instanceof KeyboundError) throw error;
    throw new KeyboundError('source-failed', 'the source of the data failed', { cause: error });
  });
  return withSignal(next, signal);
}
