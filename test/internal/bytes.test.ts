import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  base64url,
  compareBytes,
  concat,
  fromHex,
  fromUtf8,
  lp,
  readU16,
  readU32,
  sameBytes,
  toHex,
  u16,
  u32,
  utf8,
  wipe,
} from '../../src/internal/bytes.js';
import { hexText } from '../support/bytes.js';
import { anyText } from '../support/text.js';

const bytes = fc.uint8Array({ maxLength: 80 });

describe('numbers', () => {
  it.each([
    [0, '0000'],
    [1, '0001'],
    [0x1234, '1234'],
    [0x8000, '8000'],
    [0xffff, 'ffff'],
  ])('%i takes two bytes, the high one first', (value, expected) => {
    expect(hexText(u16(value))).toBe(expected);
    expect(readU16(u16(value), 0)).toBe(value);
  });

  it.each([
    [0, '00000000'],
    [0x12345678, '12345678'],
    [0x80000000, '80000000'],
    [0xffffffff, 'ffffffff'],
  ])('%i takes four bytes, the highest first', (value, expected) => {
    expect(hexText(u32(value))).toBe(expected);
    expect(readU32(u32(value), 0)).toBe(value);
  });

  it('are read from where they are', () => {
    const at = Uint8Array.of(9, 9, 0xff, 0xfe, 0xfd, 0xfc, 9);
    expect([readU16(at, 2), readU32(at, 2)]).toEqual([0xfffe, 0xfffefdfc]);
  });
});

describe('joining', () => {
  it('makes a new byte string, even of one part', () => {
    const part = Uint8Array.of(1, 2);
    const joined = concat(part);
    part.fill(0);
    expect(joined).toEqual(Uint8Array.of(1, 2));
    expect(concat()).toEqual(new Uint8Array());
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('puts a length of two bytes before a part', () => {
    expect(lp(new Uint8Array())).toEqual(Uint8Array.of(0, 0));
    expect(lp(Uint8Array.of(7, 8))).toEqual(Uint8Array.of(0, 2, 7, 8));
    expect(hexText(lp(new Uint8Array(65_535)).subarray(0, 3))).toBe('ffff00');
  });

  it('refuses a part whose length does not fit', () => {
    expect(() => lp(new Uint8Array(65_536))).toThrow(RangeError);
  });
});

describe('UTF-8', () => {
  it('comes back from any well-formed string, a byte order mark included', () => {
    expect(fromUtf8(utf8('\ufeffa'))).toBe('\ufeffa');
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['a stray continuation byte', '80'],
    ['a sequence cut short', 'c3'],
    ['a character cut short', 'f09f98'],
    ['an overlong encoding', 'c0af'],
    ['an overlong zero', 'e08080'],
    ['a surrogate', 'eda080'],
    ['a code point beyond the last', 'f4908080'],
    ['a byte that is never used', 'ff'],
  ])('is refused with %s', (_, hex) => {
    expect(() => fromUtf8(fromHex(hex))).toThrow(TypeError);
    expect(() => fromUtf8(fromHex(`61${hex}61`))).toThrow(TypeError);
  });
});

describe('base64url', () => {
  it('comes back, and is what Node makes of the same bytes', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const text = base64url.encode(data);
        expect(text).toBe(Buffer.from(data).toString('base64url'));
        expect(base64url.decode(text)).toEqual(data);
      }),
    );
  });

  it.each([
    ['padding', 'AA=='],
    ['padding of one', 'AAA='],
    ['only padding', '='],
    ['trailing bits after one byte', 'AB'],
    ['trailing bits after two bytes', 'AAB'],
    ['one character too many', 'AAAAA'],
    ['one character', 'A'],
    ['a plus sign', 'A+AA'],
    ['a slash', 'A/AA'],
    ['a space inside', 'AA AA'],
    ['a space before', ' AAAA'],
    ['a line break after', 'AAAA\n'],
    ['a letter that is not ASCII', 'ÀAAA'],
    ['a zero byte', 'AAA\0'],
  ])('is refused with %s', (_, text) => {
    expect(() => base64url.decode(text)).toThrow();
  });

  it('is one text for each byte string', () => {
    const unit = fc.mapToConstant({ num: 21, build: (i) => 'AQgwBCDEFabz01-_+/= \n'.charAt(i) });
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        let decoded: Uint8Array;
        try {
          decoded = base64url.decode(text);
        } catch {
          return;
        }
        expect(base64url.encode(decoded)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hexadecimal', () => {
  it('comes back, in lower case', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toHex(data)).toBe(hexText(data));
        expect(fromHex(toHex(data))).toEqual(data);
      }),
    );
  });

  it.each(['0', '0g', ' 00', '0x00', '00\n'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow();
  });
});

describe('comparing', () => {
  it('orders byte strings as Node does', () => {
    const few = fc.uint8Array({ max: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.oneof(few, bytes), fc.oneof(few, bytes), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(sameBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it('compares bytes as unsigned, and puts a prefix first', () => {
    expect(compareBytes(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0);
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
    expect(compareBytes(new Uint8Array(), new Uint8Array())).toBe(0);
  });
});

it('wipes every byte of what it is given, and nothing beside it', () => {
  const around = Uint8Array.of(1, 2, 3, 4);
  const other = Uint8Array.of(5);
  wipe(around.subarray(1, 3), other);
  expect([around, other]).toEqual([Uint8Array.of(1, 0, 0, 4), Uint8Array.of(0)]);
});
