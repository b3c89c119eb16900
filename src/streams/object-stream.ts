/*
 * Objects as streams: header, then body, in either direction.
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { IntegrityFailure } from '../errors.js';
import {
  bodyHeaderLength,
  BodyOpener,
  BodySealer,
  chunkSize,
  plaintextSize,
  sealedChunkSize,
} from '../format/chunked-body.js';
import { type ObjectHeader, parseObjectHeader } from '../format/object-header.js';
import { concat, wipe } from '../internal/bytes.js';
import { giveWay } from './turns.js';

/**
 * The bytes of an object: `header`, then the body. `beforeEnd` runs when all plaintext has been encrypted and before
 * the final chunk is given out; if it throws, the stream is never complete. `dataKey` is imported and wiped at once.
 */
export function sealObject(
  engine: CryptoEngine,
  header: Uint8Array,
  dataKey: Uint8Array,
  context: Uint8Array,
  source: AsyncGenerator<Uint8Array>,
  beforeEnd: (plaintextSize: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const sealer = new BodySealer(engine, dataKey, context);
  wipe(dataKey);
  return sealed(sealer, header, source, beforeEnd);
}

async function* sealed(
  sealer: BodySealer,
  header: Uint8Array,
  source: AsyncGenerator<Uint8Array>,
  beforeEnd: (plaintextSize: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    yield concat(header, sealer.header);
    for await (const piece of source) {
      await giveWay();
      size += piece.length;
      const chunks = sealer.push(piece);
      if (chunks.length > 0) yield chunks;
    }
    await beforeEnd(size);
    yield sealer.end();
  } finally {
    sealer.wipe();
  }
}

/** The beginning of an object, read from a stream. */
export interface ObjectHead {
  readonly header: ObjectHeader;
  /** Salt and commitment of the body. */
  readonly bodyHeader: Uint8Array;
  /** What was read beyond them. */
  readonly rest: Uint8Array;
}

/** The head of an object in `bytes`, or null if they may still go on. Throws as {@link parseObjectHeader}. */
export function parseHead(bytes: Uint8Array): ObjectHead | null {
  const header = parseObjectHeader(bytes);
  const bodyStart = (header?.length ?? 0) + bodyHeaderLength;
  if (header === null || bytes.length < bodyStart) return null;
  return { header, bodyHeader: bytes.slice(header.length, bodyStart), rest: bytes.subarray(bodyStart) };
}

/** Reads the head of an object from a stream. Throws {@link IntegrityFailure} if the stream ends within it. */
export async function readHead(source: AsyncIterator<Uint8Array>): Promise<ObjectHead> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (;;) {
    const next = await source.next();
    if (next.done === true) throw new IntegrityFailure('cut within the header');
    bytes = concat(bytes, next.value);
    const head = parseHead(bytes);
    if (head !== null) return head;
  }
}

/** Which chunks hold a range of the plaintext, and what of them is asked for. */
export interface ChunkRun {
  readonly firstChunk: number;
  /** Bytes of the body, from its first chunk on: `start` up to but not including `end`. */
  readonly start: number;
  readonly end: number;
  /** Plaintext to drop at the beginning, and to give out after that. */
  readonly skip: number;
  readonly take: number;
  /** Whether the run ends with the final chunk, which then proves where the object ends. */
  readonly final: boolean;
}

/** A part of the plaintext: `start` up to but not including `end`, or the last `suffix` bytes. */
export type ByteRange = { readonly start: number; readonly end?: number } | { readonly suffix: number };

/** The run for a range of an object whose body is `length` bytes long. Throws {@link IntegrityFailure}. */
export function chunkRun(length: number, range: ByteRange): { run: ChunkRun; size: number } {
  const size = plaintextSize(length);
  if (size === null) throw new IntegrityFailure('length of the body');
  const start = Math.min(size, 'suffix' in range ? Math.max(0, size - range.suffix) : range.start);
  const end = 'suffix' in range ? size : Math.max(start, Math.min(size, range.end ?? size));
  const firstChunk = Math.floor(start / chunkSize);
  const finalChunk = Math.floor(size / chunkSize);
  const lastChunk = end === size ? finalChunk : Math.max(firstChunk, Math.ceil(end / chunkSize) - 1);
  const sealedLength = length - bodyHeaderLength;
  return {
    size,
    run: {
      firstChunk,
      start: firstChunk * sealedChunkSize,
      end: Math.min(sealedLength, (lastChunk + 1) * sealedChunkSize),
      skip: start - firstChunk * chunkSize,
      take: end - start,
      final: lastChunk === finalChunk,
    },
  };
}

/**
 * The plaintext of a run of chunks whose sealed bytes `source` gives. Ends with an error, never just so, if the chunks
 * are not all there. `dataKey` is imported and wiped at once; a wrong one shows here already.
 * Throws {@link IntegrityFailure}.
 */
export function openRun(
  engine: CryptoEngine,
  dataKey: Uint8Array,
  context: Uint8Array,
  bodyHeader: Uint8Array,
  source: AsyncIterable<Uint8Array>,
  run: Pick<ChunkRun, 'firstChunk' | 'skip' | 'take' | 'final'>,
): AsyncGenerator<Uint8Array> {
  try {
    return opened(new BodyOpener(engine, dataKey, context, bodyHeader, run.firstChunk), source, run);
  } finally {
    wipe(dataKey);
  }
}

async function* opened(
  opener: BodyOpener,
  source: AsyncIterable<Uint8Array>,
  run: Pick<ChunkRun, 'skip' | 'take' | 'final'>,
): AsyncGenerator<Uint8Array> {
  let { skip, take } = run;
  const cut = (plaintext: Uint8Array): Uint8Array => {
    const part = plaintext.subarray(skip, skip + take);
    skip = Math.max(0, skip - plaintext.length);
    take -= part.length;
    return part;
  };
  try {
    for await (const sealed of source) {
      await giveWay();
      const part = cut(opener.push(sealed));
      if (part.length > 0) yield part;
    }
    if (run.final) {
      const part = cut(opener.end());
      if (part.length > 0) yield part;
    } else {
      opener.endBeforeFinal();
    }
    // A run promises its length; a store that gave fewer whole chunks has not kept it.
    if (take > 0 && take !== Infinity) throw new IntegrityFailure('range cut short');
  } finally {
    opener.wipe();
  }
}
