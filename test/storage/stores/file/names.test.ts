import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../src/internal/bytes.js';
import { entryOf, isHashed, textOf, trueTextOf } from '../../../../src/storage/stores/file/names.js';

const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
  fc.string({
    unit: fc.constantFrom('a', 'A', '.', '/', '%', '~', '@', '\0', 'é'),
    minLength: 1,
    maxLength: 256,
  }),
);

describe('the names of files', () => {
  it.each([
    ['a-z_0.9', 'a-z_0.9'],
    ['Upper', '%55pper'],
    ['.', '%2e'],
    ['..', '%2e%2e'],
    ['.a.b.', '%2ea.b%2e'],
    ['a/b', 'a%2fb'],
    ['%41', '%2541'],
    ['~', '%7e'],
    ['x@lock', 'x%40lock'],
    ['\0', '%00'],
    ['é', '%c3%a9'],
    ['e\u0301', 'e%cc%81'],
    ['A'.repeat(66) + 'aa', '%41'.repeat(66) + 'aa'],
    ['a'.repeat(201), '~a92efd82109373e58f9a2056dee01e807e216ce6075f7051207c0a9f7d666e50'],
  ])('writes %j as %j', (name, entry) => {
    expect(entryOf(name)).toBe(entry);
  });

  it('reads back what it wrote, in characters that every disk keeps apart', () => {
    fc.assert(
      fc.property(text, (name) => {
        const entry = entryOf(name);
        expect(entry).toMatch(/^(?!\.)[a-z0-9_.%-]{1,200}(?<!\.)$|^~[0-9a-f]{64}$/);
        expect(isHashed(entry) ? trueTextOf(entry, utf8(name)) : textOf(entry)).toBe(name);
      }),
    );
  });

  it('reads nothing that it would not have written', () => {
    const foreign = [
      '',
      'A',
      '.',
      '.a',
      'a.',
      '%',
      '%4',
      '%4g',
      '%61',
      '%2E',
      '%ff',
      'a@',
      '~',
      'é',
      'a'.repeat(201),
    ];
    for (const entry of foreign) expect([entry, textOf(entry)]).toEqual([entry, null]);
    expect(trueTextOf(entryOf('a'.repeat(201)), utf8('b'.repeat(201)))).toBeNull();
    expect(trueTextOf(entryOf('a'.repeat(201)), Uint8Array.of(0xff))).toBeNull();
  });
});
