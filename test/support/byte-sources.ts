/*
 * Every kind of source the library takes, and every way to read what it gives.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { Readable } from 'node:stream';
import { type ByteSource, type ByteStream } from '../../src/index.js';
import { join, offsetView } from './bytes.js';
import { Rng } from './rng.js';

/** Cuts bytes into pieces of 0 to 40,000 bytes, the same each time. */
export function cut(bytes: Uint8Array): Uint8Array[] {
  const rng = new Rng(bytes.length);
  const pieces: Uint8Array[] = [new Uint8Array(0)];
  for (let at = 0; at < bytes.length;) {
    const length = rng.below(40_001);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function webStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const pieces = cut(bytes);
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

function webByteStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  // A byte stream takes no empty pieces, and keeps what it is given.
  const pieces = cut(bytes).filter((piece) => piece.length > 0);
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece.slice());
    },
  });
}

async function* asyncPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const piece of cut(bytes)) yield await Promise.resolve(piece);
}

function* syncPieces(bytes: Uint8Array): Generator<Uint8Array> {
  yield* cut(bytes);
}

async function fileOf(bytes: Uint8Array): Promise<Readable> {
  const folder = await mkdtemp(joinPath(tmpdir(), 'keybound-source-'));
  const path = joinPath(folder, 'bytes');
  await writeFile(path, bytes);
  const stream = createReadStream(path, { highWaterMark: 10_000 });
  stream.once('close', () => void rm(folder, { recursive: true }));
  return stream;
}

/** `Blob` of a copy: its type wants bytes that are not shared. */
const copy = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

export type MakeSource = (bytes: Uint8Array) => ByteSource | Promise<ByteSource>;

export const sourceKinds: readonly (readonly [kind: string, make: MakeSource])[] = [
  ['a Uint8Array', (bytes) => bytes.slice()],
  ['a Buffer', (bytes) => Buffer.from(bytes)],
  ['a view of a larger array', offsetView],
  ['an array of Uint8Arrays', cut],
  ['a set of Uint8Arrays', (bytes) => new Set(cut(bytes))],
  ['a Blob', (bytes) => new Blob([copy(bytes)])],
  ['a File', (bytes) => new File([copy(bytes)], 'name')],
  ['a file being read', fileOf],
  ['a Readable of Uint8Arrays as objects', (bytes) => Readable.from(cut(bytes))],
  ['a Readable of bytes', (bytes) => Readable.from(asyncPieces(bytes), { objectMode: false })],
  ['a web stream', webStream],
  ['a web byte stream', webByteStream],
  ['a generator', syncPieces],
  ['an async generator', asyncPieces],
];

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return join(parts);
}

async function viaReader(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(parts);
    parts.push(value);
  }
}

function viaEvents(stream: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    stream.on('data', (piece: Uint8Array) => parts.push(piece));
    stream.on('error', reject);
    stream.on('end', () => {
      resolve(join(parts));
    });
  });
}

export type ReadAll = (stream: ByteStream) => Promise<Uint8Array>;

export const readKinds: readonly (readonly [kind: string, read: ReadAll])[] = [
  ['bytes()', (stream) => stream.bytes()],
  ['a for-await loop', collect],
  ['toWeb() and a reader', (stream) => viaReader(stream.toWeb())],
  [
    'toWeb() as a Response',
    async (stream) => new Uint8Array(await new Response(stream.toWeb()).arrayBuffer()),
  ],
  ['toNode() and a for-await loop', (stream) => collect(stream.toNode())],
  ['toNode() and its events', (stream) => viaEvents(stream.toNode())],
];
