import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contextBytes,
  encodeIdentity,
  identityClass,
  IdentityDigest,
  nameBytes,
  type Context,
  type NamespaceIdentity,
} from '../../src/format/identity.js';
import { fromHexText, hexText } from '../support/bytes.js';
import { engines } from '../support/engines.js';
import { anyText } from '../support/text.js';

const acme: NamespaceIdentity = {
  registry: fromHexText('000102030405060708090a0b0c0d0e0f'),
  namespace: 'acme',
  instance: fromHexText('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'),
  region: 'eu-1',
};

/** "keybound/v1/identity" and a zero byte. */
const prefix = '6b6579626f756e642f76312f6964656e7469747900';
/** The parts of acme's identities between class and name. */
const middle = [
  '000102030405060708090a0b0c0d0e0f',
  '0004' + '61636d65',
  'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
  '0004' + '65752d31',
].join('');

const refused = { code: 'invalid-argument' };

describe('an identity', () => {
  it('is encoded as design §4 lays it out', () => {
    const identity = encodeIdentity(
      identityClass.object,
      acme,
      nameBytes('a/é.pdf'),
      contextBytes({ tenant: '7', b: '' }),
    );
    expect(hexText(identity)).toBe(
      [
        prefix,
        '02', // object
        middle,
        '0008' + '612fc3a92e706466', // a/é.pdf
        '0002', // two pairs
        '0001' + '62' + '0000', // b, nothing
        '0006' + '74656e616e74' + '0001' + '37', // tenant, 7
      ].join(''),
    );
  });

  it.each([
    ['record', identityClass.record, '01'],
    ['object', identityClass.object, '02'],
    ['namespace key', identityClass.namespaceKey, '03'],
    ['signing key', identityClass.signingKey, '04'],
  ] as const)(
    'of a %s begins with its class and ends with no pairs if there is no context',
    (_, of, byte) => {
      expect(hexText(encodeIdentity(of, acme, nameBytes('7')))).toBe(
        `${prefix}${byte}${middle}` + '0001' + '37' + '0000',
      );
    },
  );

  it('can be read back in one way only, so that no two encode alike', () => {
    fc.assert(
      fc.property(tuples(anyText(12)), (tuple) => {
        expect(readIdentity(encode(tuple))).toEqual({ ...tuple, context: sorted(tuple.context) });
      }),
      { numRuns: 500 },
    );
  });

  it('differs from that of any other class, namespace, instance, region, name or context', () => {
    // Few letters, and bytes that look like lengths, so that joined parts often coincide.
    const unit = fc.constantFrom('a', 'b', '\0', '\u0001');
    const tuple = tuples(fc.string({ unit, maxLength: 2 }));
    const plain = (one: Tuple): string => JSON.stringify({ ...one, context: sorted(one.context) });
    fc.assert(
      fc.property(fc.array(tuple, { minLength: 2, maxLength: 30 }), (several) => {
        const identities = new Set(several.map((one) => hexText(encode(one))));
        expect(identities.size).toBe(new Set(several.map(plain)).size);
      }),
      { numRuns: 300 },
    );
  });
});

interface Tuple {
  readonly of: 1 | 2 | 3 | 4;
  readonly registry: string;
  readonly namespace: string;
  readonly instance: string;
  readonly region: string;
  readonly name: string;
  readonly context: (readonly [string, string])[];
}

function tuples(text: fc.Arbitrary<string>): fc.Arbitrary<Tuple> {
  const id = fc.constantFrom('00'.repeat(16), '61'.repeat(16), '0001'.repeat(8));
  return fc.record({
    of: fc.constantFrom(1, 2, 3, 4),
    registry: id,
    namespace: text,
    instance: id,
    region: text,
    name: text.map((name) => name || 'a'),
    context: fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 4 }),
  });
}

function encode({ of, registry, namespace, instance, region, name, context }: Tuple): Uint8Array {
  const where = { registry: fromHexText(registry), namespace, instance: fromHexText(instance), region };
  return encodeIdentity(of, where, nameBytes(name), contextBytes(Object.fromEntries(context)));
}

const sorted = (context: Tuple['context']): Tuple['context'] =>
  [...context].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** Reads what `encode` wrote, front to back. */
function readIdentity(bytes: Uint8Array): unknown {
  let rest = Buffer.from(bytes);
  const take = (length: number): Buffer => {
    expect(rest.length).toBeGreaterThanOrEqual(length);
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const number = (): number => take(2).readUInt16BE();
  const text = (): string => take(number()).toString();

  expect(take(21).toString()).toBe('keybound/v1/identity\0');
  const identity = {
    of: take(1)[0],
    registry: take(16).toString('hex'),
    namespace: text(),
    instance: take(16).toString('hex'),
    region: text(),
    name: text(),
    context: Array.from({ length: number() }, () => [text(), text()]),
  };
  expect(rest).toHaveLength(0);
  return identity;
}

describe('a name', () => {
  it.each([
    ['one byte', 'a'],
    ['512 bytes', 'a'.repeat(512)],
    ['512 bytes of two-byte characters', 'é'.repeat(256)],
    ['512 bytes of four-byte characters', '😀'.repeat(128)],
    ['a zero byte', '\0'],
  ])('may be %s', (_, name) => {
    expect(hexText(nameBytes(name))).toBe(Buffer.from(name).toString('hex'));
  });

  it.each([
    ['empty', ''],
    ['of 513 bytes', 'a'.repeat(513)],
    ['of 513 bytes in 257 characters', 'é'.repeat(256) + 'a'],
    ['with a lone high surrogate', 'a\ud83d'],
    ['with a lone low surrogate', '\ude00a'],
    ['with surrogates in the wrong order', '\ude00\ud83d'],
    ['of another type', 7],
    ['missing', undefined],
    ['an array of one string', ['a']],
  ])('is refused if it is %s', (_, name) => {
    expect(() => nameBytes(name)).toThrow(expect.objectContaining(refused));
  });

  it('is not normalised', () => {
    expect(hexText(nameBytes('\u00e9'))).toBe('c3a9');
    expect(hexText(nameBytes('e\u0301'))).toBe('65cc81');
  });
});

describe('a context', () => {
  it('is no pairs if there is none', () => {
    expect(hexText(contextBytes(undefined))).toBe('0000');
    expect(hexText(contextBytes({}))).toBe('0000');
  });

  it('is sorted by the bytes of its keys', () => {
    expect(hexText(contextBytes({ é: '1', z: '2', a: '3' }))).toBe(
      '0003' +
        '0001' +
        '61' +
        '0001' +
        '33' +
        '0001' +
        '7a' +
        '0001' +
        '32' +
        '0002' +
        'c3a9' +
        '0001' +
        '31',
    );
  });

  it('is sorted by bytes where UTF-16 has another order', () => {
    expect(['\u{1f600}', '\ufffd'].sort()).toEqual(['\u{1f600}', '\ufffd']);
    expect(hexText(contextBytes({ '\u{1f600}': '', '\ufffd': '' }))).toBe(
      '0002' + '0003' + 'efbfbd' + '0000' + '0004' + 'f09f9880' + '0000',
    );
  });

  it('is sorted with a key before those that it begins, and the empty key first', () => {
    expect(hexText(contextBytes({ ab: '', a: '', '': '' }))).toBe(
      '0003' + '0000' + '0000' + '0001' + '61' + '0000' + '0002' + '6162' + '0000',
    );
  });

  it('is sorted as text where keys look like numbers', () => {
    expect(hexText(contextBytes({ 10: '', 9: '' }))).toBe(
      '0002' + '0002' + '3130' + '0000' + '0001' + '39' + '0000',
    );
  });

  it('is the same in whatever order it was given', () => {
    const keys = fc.uniqueArray(anyText(3), { maxLength: 10 });
    fc.assert(
      fc.property(keys, (keys) => {
        const context = (order: readonly string[]): string =>
          hexText(contextBytes(Object.fromEntries(order.map((key) => [key, `of ${key}`]))));
        expect(context([...keys].reverse())).toBe(context(keys));
      }),
    );
  });

  it('is not normalised', () => {
    expect(hexText(contextBytes({ '\u00e9': 'e\u0301', 'e\u0301': '\u00e9' }))).toBe(
      '0002' + '0003' + '65cc81' + '0002' + 'c3a9' + '0002' + 'c3a9' + '0003' + '65cc81',
    );
  });

  it('takes __proto__, constructor and toString for keys like any other', () => {
    // Only JSON.parse makes a member named __proto__.
    const context = JSON.parse('{"toString":"1","__proto__":"2","constructor":"3"}') as Context;
    expect(hexText(contextBytes(context))).toBe(
      '0003' +
        ('0009' + '5f5f70726f746f5f5f' + '0001' + '32') +
        ('000b' + '636f6e7374727563746f72' + '0001' + '33') +
        ('0008' + '746f537472696e67' + '0001' + '31'),
    );
  });

  const pairs = (count: number, value = ''): Context =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i).padStart(2, '0'), value]));

  it.each([
    ['32 pairs', pairs(32)],
    ['8,192 bytes in one value', { a: 'v'.repeat(8191) }],
    ['8,192 bytes in one key', { ['k'.repeat(8192)]: '' }],
    ['8,192 bytes in 32 pairs', pairs(32, 'v'.repeat(254))],
    ['8,192 bytes of two-byte characters', { éé: 'é'.repeat(4094) }],
  ])('may have %s', (_, context) => {
    expect(() => contextBytes(context)).not.toThrow();
  });

  it.each([
    ['33 pairs', pairs(33)],
    ['8,193 bytes in one value', { a: 'v'.repeat(8192) }],
    ['8,193 bytes in one key', { ['k'.repeat(8193)]: '' }],
    ['8,193 bytes in 31 pairs', { ...pairs(30, 'v'.repeat(254)), x: 'v'.repeat(512) }],
    ['8,194 bytes in fewer characters', { ééé: 'é'.repeat(4094) }],
    ['a lone surrogate in a key', { '\ud83d': '' }],
    ['a lone surrogate in a value', { a: '\ude00' }],
    ['a number', { a: 1 }],
    ['an undefined value', { a: undefined }],
    ['a nested object', { a: {} }],
  ])('is refused with %s', (_, context) => {
    // Callers without types can pass anything.
    expect(() => contextBytes(context as unknown as Context)).toThrow(expect.objectContaining(refused));
  });

  it.each([
    ['an array', ['a']],
    ['a Map', new Map([['a', 'b']])],
    ['a string', 'a'],
    ['an object with inherited members', Object.create({ a: 'b' })],
  ])('is refused if it is %s', (_, context) => {
    // Callers without types can pass anything.
    expect(() => contextBytes(context as unknown as Context)).toThrow(expect.objectContaining(refused));
  });
});

describe.each(engines)('a digest by the $name engine', (engine) => {
  const identity = encodeIdentity(identityClass.record, acme, nameBytes('7'));
  const digest = new IdentityDigest(engine, identity);
  const expected = createHash('sha512').update(identity).digest('hex');

  it('is the SHA-512 of the identity', () => {
    expect(hexText(digest.digest)).toBe(expected);
  });

  it.each([
    ['record', '6b6579626f756e642f76312f7265636f726400'],
    ['data-key', '6b6579626f756e642f76312f646174612d6b657900'],
    ['object', '6b6579626f756e642f76312f6f626a65637400'],
    ['metadata', '6b6579626f756e642f76312f6d6574616461746100'],
    ['namespace-key', '6b6579626f756e642f76312f6e616d6573706163652d6b657900'],
    ['signing-key', '6b6579626f756e642f76312f7369676e696e672d6b657900'],
  ] as const)('follows the label in the context for %s', (purpose, label) => {
    expect(hexText(digest.context(purpose))).toBe(label + expected);
  });
});
