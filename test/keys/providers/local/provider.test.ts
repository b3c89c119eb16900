import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { localKeys } from '../../../../src/keys/providers/local/index.js';
import { keyProviderCases } from '../../../../src/testing/key-provider.js';
import { context, failure, madeKeyring, secret } from './fixtures.js';

const malformed = [
  'local://',
  'local://-a',
  'local://.a',
  'local://A',
  'local://a b',
  'local://a/b',
  'local:a',
  'LOCAL://a',
  'local:///a',
  'local://ä',
  `local://${'a'.repeat(64)}`,
  'local://a%20b',
  'aws-kms://a',
];

describe('localKeyring, by the contract of its port', () => {
  const cases = keyProviderCases(async () => {
    const { keyring } = await madeKeyring();
    await keyring.createKey('other.key_2');
    return {
      provider: keyring,
      key: 'local://app',
      otherKey: 'local://other.key_2',
      missingKey: 'local://missing',
      setState: async (uri, state) => {
        const name = uri.slice('local://'.length);
        if (state === 'enabled') await keyring.enableKey(name);
        else if (state === 'disabled') await keyring.disableKey(name);
        else await keyring.destroyKey(name);
      },
      malformed,
    };
  });
  it.each(cases)('$name', (one) => one.run());
});

describe('localKeys, by the contract of its port', () => {
  const cases = keyProviderCases(() =>
    Promise.resolve({
      provider: localKeys({ app: randomBytes(32), other: randomBytes(32).toString('base64') }),
      key: 'local://app',
      otherKey: 'local://other',
      missingKey: 'local://missing',
      malformed,
    }),
  );
  it.each(cases)('$name', (one) => one.run());
});

describe('wrapping', () => {
  const provider = localKeys({ app: randomBytes(32) });

  it.each([0, 31, 33, 64])('refuses a secret of %i bytes', async (length) => {
    await expect(provider.wrap('local://app', new Uint8Array(length), context)).rejects.toEqual(
      failure('invalid-argument', new RegExp(`32 bytes, got ${String(length)}`)),
    );
  });

  it.each([
    ['nine pairs', Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${String(i)}`, 'v']))],
    ['a long value', { key: 'é'.repeat(129) }],
    ['a long key', { ['k'.repeat(257)]: 'v' }],
    ['a lone surrogate', { key: '\ud800' }],
    ['a number', { key: 1 as unknown as string }],
    ['nothing', undefined as unknown as Record<string, string>],
  ])('refuses a context with %s', async (_, other) => {
    await expect(provider.wrap('local://app', secret, other)).rejects.toEqual(failure('invalid-argument'));
    await expect(provider.unwrap('local://app', secret, other)).rejects.toEqual(failure('invalid-argument'));
  });

  it('refuses arguments that are no bytes', async () => {
    await expect(provider.wrap('local://app', 'x' as unknown as Uint8Array, context)).rejects.toEqual(
      failure('invalid-argument'),
    );
    await expect(provider.unwrap('local://app', null as unknown as Uint8Array, context)).rejects.toEqual(
      failure('invalid-argument'),
    );
  });

  it('wraps what it was given, whatever becomes of that during the call', async () => {
    const { keyring } = await madeKeyring();
    const mine = secret.slice();
    const wrapping = keyring.wrap('local://app', mine, context);
    mine.fill(0);
    const blob = await wrapping;
    const unwrapping = keyring.unwrap('local://app', blob, context);
    blob.fill(0);
    expect(await unwrapping).toEqual(secret);
  });

  it('repeats no key that was given as a name', () => {
    const key = randomBytes(32).toString('base64');
    for (const uri of [`local://${key}`, key]) {
      expect(() => provider.parse(uri)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(key) as string }) as Error,
      );
    }
  });
});
