import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hkdfExpand } from '../../src/crypto/kdf.js';
import { expectSame, fromHexText, hexText, offsetView } from '../support/bytes.js';
import { engines, nodeEngine, portableEngine } from '../support/engines.js';
import { wycheproof, type WycheproofTest } from '../support/wycheproof.js';

interface GcmTest extends WycheproofTest {
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
interface HmacTest extends WycheproofTest {
  readonly tagSize: number;
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}
interface HkdfTest extends WycheproofTest {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

const gcmTests = wycheproof<GcmTest>('aes_gcm_test.json').filter(
  ({ keySize, ivSize, tagSize, aad }) => keySize === 256 && ivSize === 96 && tagSize === 128 && aad === '',
);
const hmacTests = wycheproof<HmacTest>('hmac_sha512_test.json');
const hkdfTests = wycheproof<HkdfTest>('hkdf_sha512_test.json');
const validCount = (tests: readonly WycheproofTest[]): number =>
  tests.filter(({ result }) => result === 'valid').length;

/** A fresh copy each time: a test that wiped a shared one would blind the others. */
const aKey = (): Uint8Array =>
  fromHexText('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const nonce = fromHexText('a0a1a2a3a4a5a6a7a8a9aaab');
const message = fromHexText('6d657373616765');

it('has the vectors it expects', () => {
  expect([gcmTests.length, validCount(gcmTests)]).toEqual([48, 21]);
  expect([hmacTests.length, validCount(hmacTests)]).toEqual([174, 66]);
  expect([hkdfTests.length, validCount(hkdfTests)]).toEqual([83, 80]);
});

describe.each(engines)('the $name engine', (engine) => {
  const seal = (plaintext: Uint8Array): Uint8Array => {
    const out = new Uint8Array(plaintext.length + 16);
    engine.aes256Gcm(aKey()).seal(nonce, plaintext, out);
    return out;
  };

  it.each(gcmTests)('agrees with AES-GCM vector $tcId ($result): $comment', (test) => {
    const gcm = engine.aes256Gcm(fromHexText(test.key));
    const iv = fromHexText(test.iv);
    const opened = gcm.open(iv, fromHexText(test.ct + test.tag));
    const sealed = new Uint8Array((test.msg.length + test.tag.length) / 2);
    gcm.seal(iv, fromHexText(test.msg), sealed);

    expect(opened === null ? null : hexText(opened)).toBe(test.result === 'valid' ? test.msg : null);
    expect(hexText(sealed) === test.ct + test.tag).toBe(test.result === 'valid');
  });

  it('agrees with every HMAC-SHA-512 vector', () => {
    for (const test of hmacTests) {
      const mac = hexText(engine.hmacSha512(fromHexText(test.key), fromHexText(test.msg)));
      const agrees = mac.slice(0, test.tagSize / 4) === test.tag;
      expect(agrees, `vector ${String(test.tcId)}`).toBe(test.result === 'valid');
    }
  });

  it('agrees with every HKDF-SHA-512 vector', () => {
    for (const test of hkdfTests) {
      const salt = test.salt === '' ? new Uint8Array(64) : fromHexText(test.salt);
      const extracted = engine.hmacSha512(salt, fromHexText(test.ikm));
      const expand = (): Uint8Array => hkdfExpand(engine, extracted, fromHexText(test.info), test.size);
      if (test.result === 'valid') expect(hexText(expand()), `vector ${String(test.tcId)}`).toBe(test.okm);
      else expect(expand, `vector ${String(test.tcId)}`).toThrow(RangeError);
    }
  });

  it.each([0, -1, 255 * 64 + 1])('refuses to derive %d bytes', (length) => {
    expect(() => hkdfExpand(engine, aKey(), nonce, length)).toThrow(RangeError);
  });

  it('computes SHA-512 as FIPS 180-4 has it', () => {
    // The example "abc" of FIPS 180-4.
    expect(hexText(engine.sha512(fromHexText('616263')))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
  });

  it.each([0, 16, 24, 31, 33, 64])('refuses an AES key of %i bytes', (length) => {
    expect(() => engine.aes256Gcm(new Uint8Array(length))).toThrow(RangeError);
  });

  it('refuses to use a wiped key', () => {
    const gcm = engine.aes256Gcm(aKey());
    gcm.wipe();
    gcm.wipe();
    expect(() => {
      gcm.seal(nonce, message, new Uint8Array(message.length + 16));
    }).toThrow('wiped');
    expect(() => gcm.open(nonce, seal(message))).toThrow('wiped');
  });

  it('keeps a copy of the key, so that the caller may wipe its own', () => {
    const callers = aKey();
    const gcm = engine.aes256Gcm(callers);
    callers.fill(0);
    expectSame(gcm.open(nonce, seal(message)) ?? new Uint8Array(), message);
  });

  it('leaves the key of the caller alone when it wipes its copy', () => {
    const callers = aKey();
    engine.aes256Gcm(callers).wipe();
    expectSame(callers, aKey());
  });

  it('opens nothing in which any one bit was flipped', () => {
    const gcm = engine.aes256Gcm(aKey());
    const opensFlipped = (input: Uint8Array, open: (flipped: Uint8Array) => Uint8Array | null): number[] =>
      Array.from({ length: input.length * 8 }, (_, bit) => bit).filter((bit) => {
        const flipped = input.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        return open(flipped) !== null;
      });
    const sealed = seal(message);
    expect(opensFlipped(sealed, (flipped) => gcm.open(nonce, flipped))).toEqual([]);
    expect(opensFlipped(nonce, (flipped) => gcm.open(flipped, sealed))).toEqual([]);
    expect(opensFlipped(aKey(), (flipped) => engine.aes256Gcm(flipped).open(nonce, sealed))).toEqual([]);
  });

  it('opens into an array of its own', () => {
    const gcm = engine.aes256Gcm(aKey());
    const sealed = seal(message);
    const first = gcm.open(nonce, sealed);
    first?.fill(0);
    expectSame(sealed, seal(message));
    expectSame(gcm.open(nonce, sealed) ?? new Uint8Array(), message);
  });

  it('returns plain byte arrays', () => {
    for (const made of [
      engine.randomBytes(3),
      engine.sha512(message),
      engine.hmacSha512(aKey(), message),
      engine.aes256Gcm(aKey()).open(nonce, seal(message)),
    ]) {
      expect(made?.constructor).toBe(Uint8Array);
    }
  });

  it.each([0, 1, 12, 32, 65_536])('makes %i random bytes in an array of their own', (length) => {
    const bytes = engine.randomBytes(length);
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([length, length]);
  });

  it('makes different random bytes each time', () => {
    const made = new Set(Array.from({ length: 1000 }, () => hexText(engine.randomBytes(16))));
    expect(made.size).toBe(1000);
  });

  it('compares byte strings of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (a, b, at, difference) => {
        expect(engine.equal(a, offsetView(a))).toBe(true);
        expect(engine.equal(a, b)).toBe(hexText(a) === hexText(b));
        const altered = a.map((byte, i) => (i === at % a.length ? byte ^ difference : byte));
        expect(engine.equal(a, altered)).toBe(a.length === 0);
        expect(engine.equal(a, Uint8Array.of(...a, 0))).toBe(false);
      }),
    );
  });
});

describe('the two engines', () => {
  const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
    fc.tuple(fc.uint8Array({ minLength, maxLength }), fc.boolean()).map(([made, aside]) => {
      return aside ? offsetView(made) : made;
    });
  /** Runs the property on both engines and sees to it that no input changed. */
  const alike = (inputs: readonly Uint8Array[], run: (engine: typeof nodeEngine) => Uint8Array): void => {
    const before = inputs.map(hexText);
    expectSame(run(portableEngine), run(nodeEngine));
    expect(inputs.map(hexText)).toEqual(before);
  };

  it('seal and open alike, and leave what they are given alone', () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), bytes(0, 600), (key, nonce, plaintext) => {
        const sealWith = (engine: typeof nodeEngine): Uint8Array => {
          const out = offsetView(new Uint8Array(plaintext.length + 16));
          engine.aes256Gcm(key).seal(nonce, plaintext, out);
          return out;
        };
        alike([key, nonce, plaintext], sealWith);
        const sealed = sealWith(nodeEngine);
        alike([key, nonce, sealed], (engine) => {
          const opened = engine.aes256Gcm(key).open(nonce, sealed);
          expectSame(opened ?? new Uint8Array(), plaintext);
          return opened ?? new Uint8Array();
        });
      }),
    );
  });

  it('hash alike', () => {
    fc.assert(
      fc.property(bytes(0, 600), (data) => {
        alike([data], (engine) => engine.sha512(data));
      }),
    );
  });

  it('authenticate alike, under keys of any length', () => {
    fc.assert(
      fc.property(bytes(0, 300), bytes(0, 600), (key, data) => {
        alike([key, data], (engine) => engine.hmacSha512(key, data));
      }),
    );
  });

  it('derive keys alike', () => {
    const length = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(bytes(0, 80), bytes(0, 200), length, (key, info, length) => {
        alike([key, info], (engine) => hkdfExpand(engine, key, info, length));
      }),
    );
  });
});
