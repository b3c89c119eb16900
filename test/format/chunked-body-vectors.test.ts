import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { IntegrityFailure } from '../../src/errors.js';
import { plaintextSize } from '../../src/format/chunked-body.js';
import {
  allAtOnce,
  atRandom,
  oneByOne,
  openRun,
  openStream,
  openWhole,
  seal,
  type Outcome,
  type Under,
} from '../support/body-routes.js';
import { expectSame, fromHexText, hexText, sha512Text } from '../support/bytes.js';
import { engines, nodeEngine } from '../support/engines.js';
import { referenceKeys, referencePrefix } from '../support/reference-body.js';
import { Rng } from '../support/rng.js';
import { wycheproof, type WycheproofTest } from '../support/wycheproof.js';

interface BodyTest extends WycheproofTest {
  readonly key: string;
  readonly ctx: string;
  readonly ct: string;
  readonly aeadKey?: string;
  readonly baseNonce?: string;
  readonly msgLength?: number;
  readonly msgSha512?: string;
}

const vectors = wycheproof<BodyTest>('c2sp_chunked_encryption_aes_256_gcm_test.json').map((test) => {
  const body = new Uint8Array(inflateSync(fromHexText(test.ct)));
  const { aeadKey, baseNonce } = test;
  const plaintext =
    aeadKey === undefined || baseNonce === undefined
      ? new Uint8Array()
      : referencePrefix({ aeadKey: fromHexText(aeadKey), baseNonce: fromHexText(baseNonce) }, body);
  return {
    ...test,
    key: fromHexText(test.key),
    context: fromHexText(test.ctx),
    body,
    /** The message, or the longest prefix of one with which an invalid body begins. */
    plaintext,
    chunks: Math.floor(plaintext.length / 16_384) + 1,
  };
});
const valid = vectors.filter(({ result }) => result === 'valid');
const invalid = vectors.filter(({ result }) => result === 'invalid');

type Open = (under: Under, body: Uint8Array) => Outcome;
interface Route {
  readonly route: string;
  readonly open: Open;
}

it('has the vectors it expects, and a reference that agrees with them', () => {
  expect([vectors.length, valid.length, invalid.length]).toEqual([35, 10, 25]);
  for (const { tcId, plaintext, msgLength, msgSha512, flags, ...vector } of vectors) {
    expect(plaintext.length, `vector ${String(tcId)}`).toBe(msgLength ?? 0);
    if (msgSha512 !== undefined) expect(sha512Text(plaintext), `vector ${String(tcId)}`).toBe(msgSha512);
    if (vector.aeadKey === undefined) {
      expect(flags).toContain('HeaderFailure');
      continue;
    }
    const keys = referenceKeys(vector.key, vector.body.subarray(0, 24), vector.context);
    expect([hexText(keys.aeadKey), hexText(keys.baseNonce)]).toEqual([vector.aeadKey, vector.baseNonce]);
    expectSame(keys.commitment, vector.body.slice(24, 56));
  }
});

const routes: readonly Route[] = [
  { route: 'whole', open: openWhole },
  { route: 'streamed in one push', open: (under, body) => openStream(under, body, allAtOnce) },
  { route: 'streamed byte by byte', open: (under, body) => openStream(under, body, oneByOne) },
  ...[1, 2, 3].map((seed) => ({
    route: `streamed in random pieces, seed ${String(seed)}`,
    open: ((under, body) => openStream(under, body, atRandom(new Rng(seed)))) satisfies Open,
  })),
];
/** Byte by byte, the two vectors of 4 MiB cost seconds and show little new: opened on one engine, sealed on none. */
const isShort = ({ body }: { body: Uint8Array }): boolean => body.length <= 65_536;

function expectStaysFailed({ opener }: Outcome): void {
  if (opener === null) return;
  expect(() => opener.push(new Uint8Array())).toThrow(IntegrityFailure);
  expect(() => opener.push(new Uint8Array(16_400))).toThrow(IntegrityFailure);
  expect(() => opener.end()).toThrow(IntegrityFailure);
  expect(() => {
    opener.endBeforeFinal();
  }).toThrow(IntegrityFailure);
}

describe.each(engines)('on the $name engine', (engine) => {
  describe.each(routes)('$route', ({ route, open }) => {
    const all = route !== 'streamed byte by byte' || engine === nodeEngine;
    it.each(all ? valid : valid.filter(isShort))('opens vector $tcId: $comment', (vector) => {
      const outcome = open({ engine, ...vector }, vector.body);
      expect(outcome.failure).toBeUndefined();
      expectSame(outcome.released, vector.plaintext);
      // An opener that has ended is as closed as one that has failed.
      expectStaysFailed(outcome);
    });

    it.each(invalid)('rejects vector $tcId for good: $comment', (vector) => {
      const outcome = open({ engine, ...vector }, vector.body);
      const wrongKeySize = vector.flags.includes('InvalidKeySize');
      expect(outcome.failure).toBeInstanceOf(wrongKeySize ? RangeError : IntegrityFailure);
      expectSame(outcome.released, vector.plaintext.subarray(0, outcome.released.length));
      if (route === 'streamed byte by byte') expectSame(outcome.released, vector.plaintext);
      if (vector.flags.includes('HeaderFailure')) expect(outcome.opener).toBeNull();
      expectStaysFailed(outcome);
    });
  });

  it.each(valid)('opens any run of chunks of vector $tcId: $comment', (vector) => {
    const under = { engine, ...vector };
    const { body, plaintext, chunks } = vector;
    const rng = new Rng(vector.tcId);
    const starts = [0, chunks - 1, ...Array.from({ length: 10 }, () => rng.below(chunks))];
    for (const first of starts) {
      const end = first + rng.below(Math.min(chunks - first, 6));
      const interior = openRun(under, body, first, end, atRandom(rng));
      expectSame(interior, plaintext.subarray(first * 16_384, end * 16_384));
      const tail = Math.max(first, chunks - 6);
      expectSame(openRun(under, body, tail, 'final', atRandom(rng)), plaintext.subarray(tail * 16_384));
    }
  });

  it.each(invalid)('opens the final chunk of vector $tcId only if that is valid: $comment', (vector) => {
    const size = plaintextSize(vector.body.length);
    const openFinal = (): Uint8Array =>
      openRun({ engine, ...vector }, vector.body, Math.floor((size ?? 0) / 16_384), 'final');
    if (vector.flags.includes('ValidFinalChunk')) expect(openFinal).not.toThrow();
    else expect(openFinal).toThrow(vector.flags.includes('InvalidKeySize') ? RangeError : IntegrityFailure);
  });

  const splits = [
    { how: 'with one call', nextLength: () => null },
    { how: 'in one push', nextLength: () => allAtOnce },
    { how: 'byte by byte', nextLength: () => oneByOne },
    { how: 'in random pieces', nextLength: (seed: number) => atRandom(new Rng(seed)) },
  ];
  describe.each(splits)('$how', ({ how, nextLength }) => {
    it.each(how === 'byte by byte' ? valid.filter(isShort) : valid)(
      'seals the message of vector $tcId to the same bytes: $comment',
      (vector) => {
        const salt = vector.body.slice(0, 24);
        const sealed = seal({ engine, ...vector }, vector.plaintext, salt, nextLength(vector.tcId));
        expectSame(sealed, vector.body);
      },
    );
  });
});
