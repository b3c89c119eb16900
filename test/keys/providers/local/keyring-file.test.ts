import { armor } from 'age-encryption';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localKeys } from '../../../../src/keys/providers/local/index.js';
import { context, decrypted, encrypted, freshPath, madeKeyring, openKeyring, secret } from './fixtures.js';

describe('a keyring file', () => {
  // The last one locks anyone but root out of folders of their own.
  it.each([0o000, 0o077, 0o177, ...(process.getuid?.() === 0 ? [0o277] : [])])(
    'has mode 0600 under umask %o, and nothing is left beside it',
    async (mask) => {
      const path = freshPath();
      const before = process.umask(mask);
      try {
        await openKeyring(path).createKey('app');
      } finally {
        process.umask(before);
      }
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(path).nlink).toBe(1);
      expect(readdirSync(join(path, '..'))).toEqual(['keyring.age']);
    },
  );

  it('is an age file that holds its keys in the documented shape, and none of them in plaintext', async () => {
    const { path, keyring } = await madeKeyring();
    await keyring.createKey('b');
    await keyring.disableKey('b');
    const content = await decrypted(path);
    const base64url32 = expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string;
    const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(content).toEqual({
      format: 'keybound/v1/keyring',
      keys: [
        { name: 'app', state: 'enabled', createdAt: time, key: base64url32 },
        { name: 'b', state: 'disabled', createdAt: time, key: base64url32 },
      ],
    });
    const raw = readFileSync(path);
    expect(raw.toString('latin1')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    const bytes = Buffer.concat([raw, armor.decode(raw.toString('latin1'))]);
    for (const { key } of content.keys) {
      const plain = Buffer.from(key ?? '', 'base64url');
      for (const form of [
        plain,
        plain.toString('base64url'),
        plain.toString('base64'),
        plain.toString('hex'),
      ]) {
        expect(bytes.indexOf(form)).toBe(-1);
      }
    }
  });

  it('may be written by age itself, binary too', async () => {
    const path = freshPath();
    const key = randomBytes(32);
    const content = {
      format: 'keybound/v1/keyring',
      keys: [
        {
          name: 'app',
          state: 'enabled',
          createdAt: new Date().toISOString(),
          key: key.toString('base64url'),
        },
      ],
    };
    writeFileSync(path, await encrypted(JSON.stringify(content)));
    const blob = await localKeys({ app: key }).wrap('local://app', secret, context);
    expect(await openKeyring(path).unwrap('local://app', blob, context)).toEqual(secret);
  });

  it('survives another instance, another process state and a relative path', async () => {
    const { path, keyring } = await madeKeyring();
    const blob = await keyring.wrap('local://app', secret, context);
    const other = openKeyring(relative(process.cwd(), path));
    expect(await other.unwrap('local://app', blob, context)).toEqual(secret);
    expect(await other.listKeys()).toEqual(await keyring.listKeys());
  });

  it('stays where a symbolic link points', async () => {
    const { path } = await madeKeyring();
    const link = join(path, '..', 'link');
    symlinkSync(path, link);
    await openKeyring(link).createKey('b');
    expect((await openKeyring(path).listKeys()).map(({ name }) => name)).toEqual(['app', 'b']);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['keyring.age', 'link']);
  });

  it('takes away what a killed process left long ago, and only that', async () => {
    const { path, keyring } = await madeKeyring();
    mkdirSync(`${path}.tmp`);
    const [old, young] = ['0', '1'].map((digit) => `${'e'.repeat(32)}!1!${digit.repeat(24)}`);
    for (const [name = '', ageMs] of [
      [old, 11 * 60_000],
      [young, 1000],
    ] as const) {
      writeFileSync(join(`${path}.tmp`, name), 'x');
      const then = new Date(Date.now() - ageMs);
      utimesSync(join(`${path}.tmp`, name), then, then);
    }
    await keyring.createKey('b');
    expect(readdirSync(`${path}.tmp`)).toEqual([young]);
  });
});
