import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, shape, type Fail, type Shape } from '../../src/internal/shape.js';
import { anyText } from '../support/text.js';

class Refused extends Error {}
const fail: Fail = (message) => {
  throw new Refused(message);
};
const check = <T>(one: Shape<T>, value: unknown): T => one(value, 'it', fail);
const refusal = (one: Shape<unknown>, value: unknown): string => {
  try {
    check(one, value);
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
  return 'not refused';
};

class Point {
  readonly x = 1;
}

describe('an object', () => {
  const point = shape.object({ x: shape.integer(0, 9), label: shape.optional(shape.string) });

  it('is accepted with exactly its members, into a fresh object', () => {
    const given = { x: 1, label: 'a' };
    const taken = check(point, given);
    expect(taken).toEqual(given);
    expect(taken).not.toBe(given);
  });

  it('may lack an optional member, or have it undefined', () => {
    expect(Object.keys(check(point, { x: 1 }))).toEqual(['x']);
    expect(Object.keys(check(point, { x: 1, label: undefined }))).toEqual(['x']);
    expect(refusal(point, { x: 1, label: null })).toBe('expected it.label to be a string, got null');
  });

  it('may have no prototype', () => {
    expect(check(point, Object.assign(Object.create(null) as object, { x: 1 }))).toEqual({ x: 1 });
  });

  it.each(['y', '', 'X', 'x ', '__proto__', 'toString', 'constructor', 'hasOwnProperty'])(
    'is refused with an unknown member %j',
    (name) => {
      const given = JSON.parse(`{"x":1,${JSON.stringify(name)}:2}`) as unknown;
      expect(refusal(point, given)).toBe(`expected no member ${JSON.stringify(name)} in it`);
    },
  );

  it('is refused with an unknown member that is undefined', () => {
    expect(refusal(point, { x: 1, y: undefined })).toBe('expected no member "y" in it');
  });

  it.each([
    ['absent', {}],
    ['undefined', { x: undefined }],
    ['inherited by way of JSON', JSON.parse('{"__proto__":{"x":1}}') as unknown],
  ])('is refused if a member is %s', (_, given) => {
    expect(refusal(point, given)).toMatch(/^expected (it\.x, got nothing|no member "__proto__" in it)$/);
  });

  it('does not take what every object inherits for a member', () => {
    const odd = shape.object({ toString: shape.optional(shape.string), constructor: shape.string });
    expect(refusal(odd, {})).toBe('expected it.constructor, got nothing');
    expect(Object.keys(check(odd, { constructor: 'a' }))).toEqual(['constructor']);
  });

  it.each([
    ['null', null, 'be an object, got null'],
    ['an array', [], 'be an object, got an array'],
    ['a string', 'x', 'be an object, got string'],
    ['nothing', undefined, 'be an object, got undefined'],
    ['a function', () => 1, 'be an object, got function'],
    ['an instance of a class', new Point(), 'be a plain object, got an instance of a class'],
    ['a heir of another object', Object.create({ x: 1 }), 'be a plain object, got an instance of a class'],
    ['a Map', new Map([['x', 1]]), 'be a plain object, got an instance of a class'],
  ])('is not %s', (_, given, expected) => {
    expect(refusal(point, given)).toBe(`expected it to ${expected}`);
    expect(refusal(shape.record(shape.integer(0, 9)), given)).toBe(`expected it to ${expected}`);
  });

  it('is what was checked, even if it answers differently when asked again', () => {
    let asked = 0;
    const shifty = {
      get x() {
        return asked++;
      },
    };
    const { x } = check(point, shifty);
    expect(x).toBe(asked - 1);
  });

  it('is reported with the path to what is wrong', () => {
    const nested = shape.object({ points: shape.array(point, 0, 3) });
    expect(refusal(nested, { points: [{ x: 1 }, { x: 'a' }] })).toBe(
      'expected it.points[1].x to be a whole number from 0 to 9, got string',
    );
  });
});

describe('a record', () => {
  const record = shape.record(shape.string);

  it('may have any member names, __proto__ among them', () => {
    const given = JSON.parse('{"__proto__":"a","toString":"b","":"c"}') as unknown;
    const taken = check(record, given);
    expect(Object.entries(taken)).toEqual([
      ['__proto__', 'a'],
      ['toString', 'b'],
      ['', 'c'],
    ]);
    expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
  });

  it('is refused with a value or name of the wrong kind', () => {
    expect(refusal(record, { a: 1 })).toBe('expected it.a to be a string, got number');
    expect(refusal(record, { a: undefined })).toBe('expected it.a to be a string, got undefined');
    expect(refusal(record, { '\ud800': 'a' })).toContain('lone surrogate');
  });
});

describe('an array', () => {
  const array = shape.array(shape.string, 1, 3);

  it('is accepted with as many elements as allowed, into a fresh array', () => {
    for (const given of [['a'], ['a', 'b', 'c']]) {
      expect(check(array, given)).toEqual(given);
      expect(check(array, given)).not.toBe(given);
    }
  });

  it.each([
    ['no elements', [], 'expected it to have 1 to 3 elements, got 0'],
    ['too many elements', ['a', 'b', 'c', 'd'], 'expected it to have 1 to 3 elements, got 4'],
    ['a wrong element', ['a', 1], 'expected it[1] to be a string, got number'],
    ['holes', new Array(2), 'expected it[0] to be a string, got undefined'],
    ['a look-alike', { 0: 'a', length: 1 }, 'expected it to be an array, got object'],
    ['a string', 'abc', 'expected it to be an array, got string'],
    ['bytes', Uint8Array.of(1), 'expected it to be an array, got object'],
  ])('is refused with %s', (_, given, expected) => {
    expect(refusal(array, given)).toBe(expected);
  });
});

describe('a whole number', () => {
  const integer = shape.integer(-5, 2 ** 53 - 1);

  it.each([-5, 0, 1, 2 ** 32, 2 ** 53 - 1])('may be %d', (value) => {
    expect(check(integer, value)).toBe(value);
  });

  it.each([-6, 2 ** 53, -0, 1.5, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE])('is not %d', (value) => {
    expect(refusal(integer, value)).toContain('expected it to be a whole number from -5 to');
  });

  it.each([
    ['text', '1'],
    ['a bigint', 1n],
    ['true', true],
    ['null', null],
    ['an object', Object(1)],
  ])('is not %s', (_, value) => {
    expect(refusal(integer, value)).toContain('expected it to be a whole number from -5 to');
  });
});

describe('a string', () => {
  it('is accepted as it is', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(check(shape.string, text)).toBe(text);
      }),
    );
  });

  it.each(['\ud800', 'a\udc00', '\udc00\ud800', '\ud83d\ud83d\ude00'])(
    'is not one with a lone surrogate: %j',
    (text) => {
      expect(refusal(shape.string, text)).toContain('lone surrogate');
    },
  );

  it.each([1, null, undefined, ['a'], Object('a')])('is not %j', (value) => {
    expect(refusal(shape.string, value)).toContain('expected it to be a string');
  });

  it('may have to match a pattern', () => {
    const lower = shape.text(/^[a-z]+$/, 'lower-case letters');
    expect(check(lower, 'abc')).toBe('abc');
    for (const text of ['', 'aB', 'a\n', '\na']) {
      expect(refusal(lower, text)).toBe('expected it to be lower-case letters');
    }
    expect(refusal(lower, ['abc'])).toBe('expected it to be a string, got an array');
  });

  it('may have to be one of a few', () => {
    const literal = shape.literal('', 'on', 'off');
    expect(['', 'on', 'off'].map((value) => check(literal, value))).toEqual(['', 'on', 'off']);
    for (const value of ['On', 'on ', null, undefined, ['on'], Object('on')]) {
      expect(refusal(literal, value)).toContain('expected it to be one of , on, off');
    }
  });
});

it('takes only true and false for a boolean', () => {
  expect([check(shape.boolean, true), check(shape.boolean, false)]).toEqual([true, false]);
  for (const value of [0, 1, '', 'true', null, undefined, Object(true)]) {
    expect(refusal(shape.boolean, value)).toContain('expected it to be true or false');
  }
});

it('takes null, but not undefined, where null is allowed', () => {
  const nullable = shape.nullable(shape.string);
  expect([check(nullable, null), check(nullable, 'a')]).toEqual([null, 'a']);
  expect(refusal(nullable, undefined)).toContain('expected it to be a string');
  expect(refusal(shape.object({ a: nullable }), {})).toBe('expected it.a, got nothing');
});

describe('JSON', () => {
  it('is parsed without losing a member named __proto__', () => {
    expect(Object.keys(parseJson('{"__proto__":1}', fail) as object)).toEqual(['__proto__']);
  });

  it.each(['', '{', '{"a":1,}', '{"secret":hunter2}', 'undefined', "{'a':1}", '\ufeff{}'])(
    'is not %j',
    (text) => {
      expect(refusal((value) => parseJson(String(value), fail), text)).toBe(
        'expected JSON, got something else',
      );
    },
  );
});
