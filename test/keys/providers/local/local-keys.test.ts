import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { localKeys } from '../../../../src/keys/providers/local/index.js';
import { context, failure, secret } from './fixtures.js';

describe('localKeys', () => {
  it('takes a key as bytes, base64, base64url and hex, and means the same', async () => {
    const key = randomBytes(32).fill(0xfb, 0, 8);
    const spellings = [
      key,
      new Uint8Array(key),
      ...(['base64', 'base64url', 'hex'] as const).map((as) => key.toString(as)),
      `${key.toString('base64url')}=`,
      key.toString('hex').toUpperCase(),
    ];
    const blob = await localKeys({ app: key }).wrap('local://app', secret, context);
    for (const app of spellings) {
      expect(await localKeys({ app }).unwrap('local://app', blob, context)).toEqual(secret);
    }
  });

  it('copies the keys it is given', async () => {
    const app = randomBytes(32);
    const copy = new Uint8Array(app);
    const blob = await localKeys({ app: copy }).wrap('local://app', secret, context);
    const provider = localKeys({ app });
    app.fill(0);
    expect(await provider.unwrap('local://app', blob, context)).toEqual(secret);
    expect((await provider.describe('local://app')).state).toBe('enabled');
  });

  it.each([undefined, ''])('stays locked without a value: %j', (app) => {
    expect(() => localKeys({ app })).toThrow(failure('keyring-locked', /local:\/\/app.*openssl rand/));
  });

  it.each([
    ['31 bytes', randomBytes(31)],
    ['no bytes', new Uint8Array()],
    ['48 bytes in base64', randomBytes(48).toString('base64')],
    ['31 bytes in hex', randomBytes(31).toString('hex')],
    ['text with a line break', `${randomBytes(32).toString('base64')}\n`],
    ['both alphabets', `+_${'A'.repeat(41)}`],
    ['left-over bits', `${'A'.repeat(42)}B`],
    ['a number', 5 as unknown as string],
    ['null', null as unknown as string],
  ])('refuses %s, without showing it', (_, app) => {
    let error: unknown;
    try {
      localKeys({ app });
    } catch (caught) {
      error = caught;
    }
    expect(error).toEqual(failure('invalid-argument', /local:\/\/app to be 32 bytes/));
    if (typeof app === 'string') expect(inspect(error)).not.toContain(app.trim());
  });

  it.each([{}, { App: randomBytes(32) }, null, 'x'])('refuses names and shapes that are none: %o', (keys) => {
    expect(() => localKeys(keys as Record<string, Uint8Array>)).toThrow(failure('invalid-argument'));
  });

  it('shows no key when inspected', () => {
    const app = randomBytes(32);
    const shown = inspect(localKeys({ app }), { depth: 20, showHidden: true });
    expect(shown).not.toContain(app.toString('hex').slice(0, 16));
    expect(shown).not.toMatch(/Uint8Array|Buffer/);
  });
});
