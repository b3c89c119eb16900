import { type CryptoEngine } from '../../src/crypto/engine.js';
import { BodyOpener, BodySealer, openBody, sealBody } from '../../src/format/chunked-body.js';
import { join } from './bytes.js';
import { type Rng } from './rng.js';

/** What a body is opened under. */
export interface Under {
  readonly engine: CryptoEngine;
  readonly key: Uint8Array;
  readonly context: Uint8Array;
}

/** How long the next piece of a stream is; asked again and again. */
export type NextLength = () => number;

export const oneByOne: NextLength = () => 1;
export const allAtOnce: NextLength = () => Infinity;
/** Pieces of no, few and many bytes. */
export const atRandom =
  (rng: Rng): NextLength =>
  () =>
    rng.below(rng.pick([2, 40, 600, 16_500, 50_000]));

export function* pieces(bytes: Uint8Array, nextLength: NextLength): Generator<Uint8Array> {
  let end: number;
  for (let at = 0; at < bytes.length; at = end) {
    end = Math.min(at + nextLength(), bytes.length);
    yield bytes.subarray(at, end);
  }
}

/** What came out of a body: the plaintext that was released and, unless it opened, why it did not. */
export interface Outcome {
  readonly released: Uint8Array;
  readonly failure: unknown;
  /** Null if none could be made, or if the route shows none. */
  readonly opener: BodyOpener | null;
}

/** Opens a body with one call. */
export function openWhole({ engine, key, context }: Under, body: Uint8Array): Outcome {
  try {
    return { released: openBody(engine, key, context, body), failure: undefined, opener: null };
  } catch (failure) {
    return { released: new Uint8Array(), failure, opener: null };
  }
}

/** Opens a body piece by piece, and keeps what was released before a failure. */
export function openStream(
  { engine, key, context }: Under,
  body: Uint8Array,
  nextLength: NextLength,
): Outcome {
  const released: Uint8Array[] = [];
  let opener: BodyOpener | null = null;
  let failure: unknown;
  try {
    opener = new BodyOpener(engine, key, context, body.slice(0, 56));
    for (const piece of pieces(body.subarray(56), nextLength)) {
      const plaintext = opener.push(piece);
      if (plaintext.length > 0) released.push(plaintext);
    }
    released.push(opener.end());
  } catch (error) {
    failure = error;
  }
  return { released: join(released), failure, opener };
}

/** Where a run of chunks ends: before chunk `end`, or with the final chunk, however short. */
export type RunEnd = number | 'final';

/** Opens the chunks from `first` on, as a range read does. Throws what the opener throws. */
export function openRun(
  { engine, key, context }: Under,
  body: Uint8Array,
  first: number,
  end: RunEnd,
  nextLength: NextLength = allAtOnce,
): Uint8Array {
  const opener = new BodyOpener(engine, key, context, body.subarray(0, 56), first);
  const run = body.subarray(56 + first * 16_400, end === 'final' ? body.length : 56 + end * 16_400);
  const released = Array.from(pieces(run, nextLength), (piece) => opener.push(piece));
  if (end === 'final') released.push(opener.end());
  else opener.endBeforeFinal();
  return join(released);
}

/** Encrypts piece by piece, or with one call if `nextLength` is null. */
export function seal(
  { engine, key, context }: Under,
  plaintext: Uint8Array,
  salt?: Uint8Array,
  nextLength: NextLength | null = null,
): Uint8Array {
  if (nextLength === null) return sealBody(engine, key, context, plaintext, salt);
  const sealer = new BodySealer(engine, key, context, salt);
  const parts = [sealer.header];
  for (const piece of pieces(plaintext, nextLength)) {
    const sealed = sealer.push(piece);
    if (sealed.length > 0) parts.push(sealed);
  }
  return join([...parts, sealer.end()]);
}
