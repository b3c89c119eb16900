import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { kindOf, quote } from '../../src/internal/quote.js';
import { shape } from '../../src/internal/shape.js';

describe('quoting for messages', () => {
  it('gives a text in quotes, and of anything else its kind', () => {
    expect(quote('acme')).toBe('"acme"');
    expect(quote('')).toBe('""');
    expect(quote(7)).toBe('number');
  });

  it('cuts what is too long, and says so', () => {
    expect(quote('x'.repeat(96))).toBe(`"${'x'.repeat(96)}"`);
    expect(quote('x'.repeat(97))).toBe(`"${'x'.repeat(95)}…"`);
    expect(quote('x'.repeat(61), 60)).toBe(`"${'x'.repeat(59)}…"`);
    expect(quote('x'.repeat(1e7)).length).toBe(98);
  });

  it.each([
    ['control characters', 'a\u0000\u001b[2J\u009bb\r\n'],
    ['what turns the direction', 'a\u202e\u2066b\u200f'],
    ['what ends a line', 'a\u2028b\u2029'],
    ['quotes', 'a" or "b'],
    ['lone surrogates', '\ud800 \udfff'],
    ['nothing but escapes', '\u0001'.repeat(200)],
    ['pairs that are cut in two', '😀'.repeat(200)],
    ['the other halves of them', `x${'😀'.repeat(200)}`],
  ])('keeps to one harmless, well-formed line: %s', (_, text) => {
    for (const most of [59, 60, 96]) {
      const quoted = quote(text, most);
      expect(quoted).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(quoted).toBe(quoted.toWellFormed());
      expect(quoted.length).toBeLessThanOrEqual(most + 2);
      expect(quoted).toMatch(/^".*"$/);
    }
  });
});

describe('the kind of a value', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    [7n, 'bigint'],
    [Symbol('secret'), 'symbol'],
    [['secret'], 'an array'],
    [{ secret: 1 }, 'object'],
    [Promise.resolve('secret'), 'a promise; await it first'],
  ])('%o: %s', (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });
});

it('takes plain objects of another realm, and no other objects of it', () => {
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const point = shape.object({ x: shape.boolean });
  expect(point(runInNewContext('({ x: true })'), 'it', fail)).toEqual({ x: true });
  for (const code of ['new Map()', 'new (class { x = true })()', 'Object.create({ x: true })']) {
    expect(() => point(runInNewContext(code), 'it', fail)).toThrow('plain object');
  }
});
