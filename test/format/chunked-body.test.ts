import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityFailure } from '../../src/errors.js';
import {
  bodyLength,
  BodyOpener,
  BodySealer,
  maxPlaintextSize,
  openBody,
  plaintextSize,
  sealBody,
} from '../../src/format/chunked-body.js';
import {
  atRandom,
  oneByOne,
  openStream,
  openWhole,
  pieces,
  seal,
  type Under,
} from '../support/body-routes.js';
import { expectSame, hexText, join, offsetView } from '../support/bytes.js';
import { engines, nodeEngine, portableEngine } from '../support/engines.js';
import { referenceKeys, referenceOpenChunk, referenceSealChunk } from '../support/reference-body.js';
import { Rng } from '../support/rng.js';

const chunk = 16_384;
const empty = new Uint8Array();
const key = new Rng(1).bytes(32);
const context = new Rng(2).bytes(16);
const salt = new Rng(3).bytes(24);

/** On both sides of every place where something changes. */
const boundarySizes = [
  ...[0, 1, 15, 16, 17],
  ...[1, 2, 3].flatMap((chunks) => [-17, -16, -15, -1, 0, 1, 15, 16, 17].map((by) => chunks * chunk + by)),
];

describe.each(engines)('on the $name engine', (engine) => {
  const under: Under = { engine, key, context };

  it.each(boundarySizes)('a message of %i bytes comes back', (size) => {
    const message = new Rng(size).bytes(size);
    const sealed = sealBody(engine, key, context, message);
    expect([sealed.length, plaintextSize(sealed.length)]).toEqual([bodyLength(size), size]);
    expectSame(openBody(engine, key, context, sealed), message);

    const rng = new Rng(size);
    expectSame(openStream(under, sealed, atRandom(rng)).released, message);
    const again = seal(under, message, sealed.slice(0, 24), atRandom(rng));
    expectSame(again, sealed);
  });

  it('any message, key and context give the same body however they are split, and come back', () => {
    const size = fc.oneof(fc.constantFrom(...boundarySizes), fc.nat(100), fc.nat(60_000));
    const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const anyContext = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(size, anyKey, anyContext, fc.nat(), (size, key, context, seed) => {
        const rng = new Rng(seed);
        const under = { engine, key, context };
        const message = rng.bytes(size);
        const sealed = seal(under, message, salt, atRandom(rng));
        expectSame(sealed, sealBody(nodeEngine, key, context, message, salt));
        expectSame(openWhole(under, offsetView(sealed)).released, message);
        expectSame(openStream(under, sealed, atRandom(rng)).released, message);
      }),
      { numRuns: engine === portableEngine ? 30 : 150 },
    );
  });

  it.each([0, 16, 31, 33, 64])('refuses a key of %i bytes', (length) => {
    const wrong = new Uint8Array(length);
    const header = sealBody(engine, key, context, empty).subarray(0, 56);
    expect(() => new BodySealer(engine, wrong, context)).toThrow(RangeError);
    expect(() => new BodyOpener(engine, wrong, context, header)).toThrow(RangeError);
  });

  it('neither changes nor returns the bytes it is given', () => {
    const message = new Rng(4).bytes(40_000);
    const given = message.slice();
    const sealed = sealBody(engine, key, context, given);
    expectSame(given, message);
    sealed.fill(0);
    expectSame(given, message);

    const body = sealBody(engine, key, context, message);
    const givenBody = body.slice();
    openBody(engine, key, context, givenBody).fill(0);
    expectSame(givenBody, body);
  });

  it('lets the caller use one buffer for every piece', () => {
    const message = new Rng(5).bytes(50_000);
    const reused = new Uint8Array(700);
    const through = (input: Uint8Array, push: (piece: Uint8Array) => Uint8Array): Uint8Array[] =>
      Array.from(
        pieces(input, () => reused.length),
        (piece) => {
          reused.set(piece);
          const out = push(reused.subarray(0, piece.length));
          reused.fill(0xee);
          return out;
        },
      );
    const sealer = new BodySealer(engine, key, context, salt);
    const body = join([sealer.header, ...through(message, (piece) => sealer.push(piece)), sealer.end()]);
    expectSame(body, sealBody(engine, key, context, message, salt));

    const opener = new BodyOpener(engine, key, context, body.subarray(0, 56));
    const opened = through(body.subarray(56), (piece) => opener.push(piece));
    expectSame(join([...opened, opener.end()]), message);
  });

  it('keeps its own keys, so that the caller may wipe key, context and header', () => {
    const own = [key.slice(), context.slice()] as const;
    const sealer = new BodySealer(engine, ...own, salt.slice());
    for (const bytes of own) bytes.fill(0);
    const body = join([sealer.header, sealer.push(Uint8Array.of(1, 2, 3)), sealer.end()]);

    const opening = [key.slice(), context.slice(), body.slice(0, 56)] as const;
    const opener = new BodyOpener(engine, ...opening);
    for (const bytes of opening) bytes.fill(0);
    expectSame(join([opener.push(body.subarray(56)), opener.end()]), Uint8Array.of(1, 2, 3));
  });
});

it('has a salt of its own for each message', () => {
  const salts = Array.from({ length: 200 }, () =>
    hexText(sealBody(nodeEngine, key, context, empty)).slice(0, 48),
  );
  expect(new Set(salts).size).toBe(200);
});

describe('an encryptor', () => {
  const uses = [
    { use: 'end', finish: (sealer: BodySealer) => void sealer.end() },
    {
      use: 'wipe',
      finish: (sealer: BodySealer) => {
        sealer.wipe();
      },
    },
  ];
  it.each(uses)('is used up after $use', ({ finish }) => {
    const sealer = new BodySealer(nodeEngine, key, context);
    sealer.push(new Uint8Array(20_000));
    finish(sealer);
    expect(() => sealer.push(empty)).toThrow('used already');
    expect(() => sealer.push(new Uint8Array(chunk))).toThrow('used already');
    expect(() => sealer.end()).toThrow('used already');
  });

  it('gives out chunks as soon as they are complete', () => {
    const sealer = new BodySealer(nodeEngine, key, context);
    const lengths = [chunk - 1, 1, 0, 2 * chunk, 1].map((size) => sealer.push(new Uint8Array(size)).length);
    expect(lengths).toEqual([0, 16_400, 0, 32_800, 0]);
    expect(sealer.end()).toHaveLength(17);
  });
});

describe('an opener', () => {
  const body = sealBody(nodeEngine, key, context, new Rng(6).bytes(40_000), salt);
  const opener = (): BodyOpener => new BodyOpener(nodeEngine, key, context, body.subarray(0, 56));

  it('gives out chunks as soon as they are complete', () => {
    const from = opener();
    const edges = [56, 56 + 16_399, 56 + 16_400, 56 + 32_800, body.length];
    const lengths = edges.slice(1).map((to, i) => from.push(body.subarray(edges[i], to)).length);
    expect(lengths).toEqual([0, chunk, chunk, 0]);
    expect(from.end()).toHaveLength(40_000 - 2 * chunk);
  });

  it.each([0, 1, 24, 55, 57, 72])('refuses a header of %i bytes', (length) => {
    const header = body.subarray(0, length);
    expect(() => new BodyOpener(nodeEngine, key, context, header)).toThrow(IntegrityFailure);
  });

  it.each([1, 15, 16, 16_399, 16_401, 32_799])('refuses a run of chunks cut after %i bytes', (length) => {
    const from = opener();
    from.push(body.subarray(56, 56 + length));
    expect(() => {
      from.endBeforeFinal();
    }).toThrow(IntegrityFailure);
  });

  it('refuses everything after a run of chunks has ended', () => {
    const from = opener();
    from.push(body.subarray(56, 56 + 16_400));
    from.endBeforeFinal();
    expect(() => from.push(body.subarray(56 + 16_400))).toThrow(IntegrityFailure);
    expect(() => from.end()).toThrow(IntegrityFailure);
  });

  it('refuses everything after it was wiped', () => {
    const from = opener();
    from.wipe();
    expect(() => from.push(body.subarray(56))).toThrow(IntegrityFailure);
    expect(() => from.end()).toThrow(IntegrityFailure);
  });

  it('refuses the genuine chunk after a false one', () => {
    const from = opener();
    expect(() => from.push(new Uint8Array(16_400))).toThrow(IntegrityFailure);
    expect(() => from.push(body.subarray(56, 56 + 16_400))).toThrow(IntegrityFailure);
  });

  it.each([chunk, chunk + 1, 2 * chunk])('refuses %i bytes in a final chunk that authenticates', (size) => {
    const keys = referenceKeys(key, salt, context);
    const full = join([body.subarray(0, 56), referenceSealChunk(keys, 0n, new Uint8Array(size))]);
    const under = { engine: nodeEngine, key, context };
    expect(openWhole(under, full).failure).toBeInstanceOf(IntegrityFailure);
    expect(openStream(under, full, oneByOne).failure).toBeInstanceOf(IntegrityFailure);
  });
});

describe('sizes', () => {
  it('are the same there and back', () => {
    const size = fc.oneof(fc.nat(100_000), fc.integer({ min: 0, max: maxPlaintextSize }));
    const near = fc
      .tuple(fc.nat(2 ** 32 - 1), fc.integer({ min: -20, max: 20 }))
      .map(([chunks, by]) => Math.max(0, chunks * chunk + by));
    fc.assert(
      fc.property(fc.oneof(size, near), (size) => {
        expect(plaintextSize(bodyLength(size))).toBe(size);
      }),
      { numRuns: 2000 },
    );
  });

  it('end at 2^46 − 1 bytes', () => {
    expect(maxPlaintextSize).toBe(2 ** 46 - 1);
    expect(bodyLength(maxPlaintextSize)).toBe(56 + 2 ** 46 - 1 + 2 ** 32 * 16);
    expect(plaintextSize(bodyLength(maxPlaintextSize))).toBe(maxPlaintextSize);
    for (let beyond = 1; beyond <= 2 * 16_400; beyond++) {
      expect(plaintextSize(bodyLength(maxPlaintextSize) + beyond)).toBeNull();
    }
    expect(plaintextSize(Number.MAX_SAFE_INTEGER)).toBeNull();
  });

  it('are null for every length that no body has', () => {
    const sizes = new Map(Array.from({ length: 3 * chunk }, (_, size) => [bodyLength(size), size]));
    const wrong = Array.from({ length: bodyLength(3 * chunk) }, (_, length) => length).filter(
      (length) => plaintextSize(length) !== (sizes.get(length) ?? null),
    );
    expect(wrong).toEqual([]);
    expect(plaintextSize(-1)).toBeNull();
  });
});

describe('the limit of 2^32 chunks', () => {
  it('stops an encryptor', () => {
    const claiming = (length: number): Uint8Array =>
      Object.defineProperty(new Uint8Array(), 'length', { value: length });
    const sealer = new BodySealer(nodeEngine, key, context);
    expect(() => sealer.push(claiming(2 ** 46))).toThrow(expect.objectContaining({ code: 'too-large' }));
    // One byte less passes the check, and only then is there no array so long.
    expect(() => sealer.push(claiming(2 ** 46 - 1))).toThrow(RangeError);
    sealer.push(new Uint8Array(1));
    expect(() => sealer.push(claiming(2 ** 46 - 1))).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  const { header } = new BodySealer(nodeEngine, key, context, salt);
  const keys = referenceKeys(key, salt, context);
  const last = Uint8Array.of(1, 2, 3);

  it('lets an opener open the last of them', () => {
    const opener = new BodyOpener(nodeEngine, key, context, header, 2 ** 32 - 1);
    opener.push(referenceSealChunk(keys, 2n ** 32n - 1n, last));
    expectSame(opener.end(), last);
  });

  it.each([2n ** 32n, 0n])('stops an opener before another one, with a nonce made of %s', (index) => {
    const beyond = new BodyOpener(nodeEngine, key, context, header, 2 ** 32);
    beyond.push(referenceSealChunk(keys, index, last));
    expect(() => beyond.end()).toThrow(IntegrityFailure);
    const full = new BodyOpener(nodeEngine, key, context, header, 2 ** 32);
    const chunkBeyond = referenceSealChunk(keys, index, new Uint8Array(chunk));
    expect(() => full.push(chunkBeyond)).toThrow(IntegrityFailure);
  });
});

describe('the nonce of a chunk', () => {
  const indices = [0, 1, 255, 256, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
  /** Four salts whose base nonces have the top bit of the last word as wanted. */
  const saltsWith = (topBit: number): Uint8Array[] =>
    Array.from({ length: 64 }, (_, seed) => new Rng(seed).bytes(24))
      .filter((salt) => (referenceKeys(key, salt, context).baseNonce[8] ?? 0) >> 7 === topBit)
      .slice(0, 4);

  it.each([0, 1])('is the base nonce XOR its index where the base nonce has a top bit of %i', (topBit) => {
    const salts = saltsWith(topBit);
    expect(salts).toHaveLength(4);
    for (const salt of salts) {
      const keys = referenceKeys(key, salt, context);
      const { header } = new BodySealer(nodeEngine, key, context, salt);
      for (const index of indices) {
        const opener = new BodyOpener(nodeEngine, key, context, header, index);
        opener.push(referenceSealChunk(keys, BigInt(index), salt));
        expectSame(opener.end(), salt);
      }
    }
  });

  it.each([0, 1])('goes on from chunk to chunk where the base nonce has a top bit of %i', (topBit) => {
    const message = new Rng(7).bytes(2 * chunk + 5);
    for (const salt of saltsWith(topBit)) {
      const keys = referenceKeys(key, salt, context);
      const body = sealBody(nodeEngine, key, context, message, salt);
      for (const index of [0, 1, 2]) {
        const at = 56 + index * 16_400;
        const opened = referenceOpenChunk(keys, BigInt(index), body.subarray(at, at + 16_400));
        expectSame(opened ?? empty, message.subarray(index * chunk, (index + 1) * chunk));
      }
    }
  });
});
