import { armor } from 'age-encryption';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { localKeyring, type LocalKeyringOptions } from '../../../../src/keys/providers/local/index.js';
import {
  context,
  decrypted,
  encrypted,
  failure,
  freshPath,
  madeKeyring,
  openKeyring,
  passphrase,
  root,
  secret,
} from './fixtures.js';

describe('a keyring that cannot be used', () => {
  it.each([undefined, ''])('stays locked without a passphrase: %j', async (none) => {
    const { path } = await madeKeyring();
    for (const given of [none, () => none]) {
      const keyring = openKeyring(path, { passphrase: given });
      expect(keyring.parse('local://app').uri).toBe('local://app');
      const locked = failure(
        'keyring-locked',
        new RegExp(`${path} is locked.*localKeyring\\(path, \\{ passphrase`),
      );
      await expect(keyring.wrap('local://app', secret, context)).rejects.toEqual(locked);
      await expect(keyring.createKey('b')).rejects.toEqual(locked);
      const nowhere = freshPath();
      await expect(openKeyring(nowhere, { passphrase: given }).createKey('b')).rejects.toEqual(
        failure('keyring-locked'),
      );
      expect(existsSync(nowhere)).toBe(false);
    }
  });

  it('says so when the function fails or gives something else', async () => {
    const { path } = await madeKeyring();
    const cause = new Error('no terminal');
    const failing = openKeyring(path, { passphrase: () => Promise.reject(cause) });
    await expect(failing.listKeys()).rejects.toMatchObject({ code: 'keyring-locked', cause });
    const strange = openKeyring(path, { passphrase: () => 5 as unknown as string });
    await expect(strange.listKeys()).rejects.toEqual(failure('invalid-argument'));
  });

  it('refuses a wrong passphrase, which it does not repeat, and takes the right one later', async () => {
    const { path } = await madeKeyring();
    const given = ['wrong pony', passphrase];
    const keyring = openKeyring(path, { passphrase: () => given.shift() ?? '' });
    const error: unknown = await keyring.listKeys().catch((caught: unknown) => caught);
    expect(error).toEqual(failure('keyring-invalid', /passphrase is wrong, or the file was altered/));
    expect(inspect(error, { depth: 9 })).not.toContain('wrong pony');
    expect(await keyring.listKeys()).toHaveLength(1);
  });

  it('refuses a file that was altered or cut, and recovers when it is put back', async () => {
    const { path, keyring } = await madeKeyring();
    const intact = readFileSync(path);
    const inside = armor.decode(intact.toString('latin1'));
    // Header, stanza, scrypt salt, wrapped file key, MAC, payload nonce, payload, tag.
    const flips = [0, 24, 40, 70, 120, 150, 170, 190, 230, inside.length - 1].map((at) =>
      inside.with(at, (inside[at] ?? 0) ^ 1),
    );
    const cuts = [0, 1, 100, 200, inside.length - 1].map((length) => inside.subarray(0, length));
    const armored = [...flips, ...cuts].map((bytes) => armor.encode(bytes));
    const texts = ['', 'x', intact.subarray(0, -40), intact.subarray(50), Buffer.concat([intact, intact])];
    for (const altered of [...armored, ...texts]) {
      writeFileSync(path, altered);
      await expect(keyring.wrap('local://app', secret, context)).rejects.toEqual(
        failure('keyring-invalid', new RegExp(path)),
      );
      await expect(openKeyring(path).createKey('b')).rejects.toEqual(failure('keyring-invalid'));
    }
    writeFileSync(path, intact);
    await keyring.wrap('local://app', secret, context);
  });

  it('refuses a file of more than 4 MiB unread', async () => {
    const path = freshPath();
    const size = 4 * 1024 * 1024 + 1;
    writeFileSync(path, Buffer.alloc(size, ' '));
    await expect(openKeyring(path).listKeys()).rejects.toEqual(
      failure('keyring-invalid', new RegExp(`at most 4194304 bytes at ${path}, got ${String(size)}`)),
    );
  });

  const entry = { name: 'app', state: 'enabled', createdAt: '2026-01-31T12:00:00.000Z', key: 'A'.repeat(43) };
  const contents: [string, unknown][] = [
    ['another format', { format: 'keybound/v2/keyring', keys: [] }],
    ['an unknown member', { format: 'keybound/v1/keyring', keys: [], more: 1 }],
    ['an unknown member of a key', { format: 'keybound/v1/keyring', keys: [{ ...entry, more: 1 }] }],
    ['a short key', { format: 'keybound/v1/keyring', keys: [{ ...entry, key: 'AAAA' }] }],
    [
      'a key that is no base64url',
      { format: 'keybound/v1/keyring', keys: [{ ...entry, key: '+'.repeat(43) }] },
    ],
    ['no key of an enabled one', { format: 'keybound/v1/keyring', keys: [{ ...entry, key: null }] }],
    ['a key of a destroyed one', { format: 'keybound/v1/keyring', keys: [{ ...entry, state: 'destroyed' }] }],
    ['an unknown state', { format: 'keybound/v1/keyring', keys: [{ ...entry, state: 'lost' }] }],
    ['a name that is none', { format: 'keybound/v1/keyring', keys: [{ ...entry, name: 'A' }] }],
    ['one name twice', { format: 'keybound/v1/keyring', keys: [entry, entry] }],
    ['no time', { format: 'keybound/v1/keyring', keys: [{ ...entry, createdAt: 'today' }] }],
    ['no object', []],
  ];
  it.each(contents)('refuses content with %s, without showing any', async (_, content) => {
    const path = freshPath();
    writeFileSync(path, await encrypted(JSON.stringify(content)));
    const error: unknown = await openKeyring(path)
      .listKeys()
      .catch((caught: unknown) => caught);
    expect(error).toEqual(failure('keyring-invalid', /is malformed: expected/));
    expect(inspect(error, { depth: 9 })).not.toContain('AAAA');
  });

  it('refuses content that is no JSON', async () => {
    const path = freshPath();
    writeFileSync(path, await encrypted('{"format": AAAA'));
    await expect(openKeyring(path).listKeys()).rejects.toEqual(failure('keyring-invalid', /expected JSON/));
  });

  it('refuses a file that asks for more work than 2^20, before any is done', async () => {
    const path = freshPath();
    const file = Buffer.from(await encrypted('{}'))
      .toString('latin1')
      .replace(/(-> scrypt \S+) 10\n/, '$1 21\n');
    writeFileSync(path, file, 'latin1');
    const before = performance.now();
    await expect(openKeyring(path).listKeys()).rejects.toMatchObject({
      code: 'keyring-invalid',
      cause: { message: 'scrypt work factor is too high' },
    });
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it('refuses a folder, a missing file and a missing folder', async () => {
    const folder = join(root, 'folder');
    mkdirSync(folder);
    await expect(openKeyring(folder).wrap('local://app', secret, context)).rejects.toEqual(
      failure('misconfigured', /got a folder/),
    );
    await expect(openKeyring(folder).createKey('app')).rejects.toEqual(
      failure('misconfigured', /got a folder/),
    );
    const missing = openKeyring(freshPath());
    for (const call of [
      () => missing.unwrap('local://app', secret, context),
      () => missing.listKeys(),
      () => missing.disableKey('app'),
    ]) {
      await expect(call()).rejects.toEqual(failure('misconfigured', /there is no keyring at/));
    }
    const nowhere = join(root, 'nowhere', 'keyring.age');
    await expect(openKeyring(nowhere).createKey('app')).rejects.toEqual(
      failure('misconfigured', /cannot write keyring .*ENOENT/),
    );
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
  });

  it('says so when the file system refuses the file: here, a link to itself', async () => {
    const { path, keyring } = await madeKeyring();
    rmSync(path);
    symlinkSync(path, path);
    await expect(keyring.listKeys()).rejects.toEqual(failure('misconfigured', /ELOOP/));
  });

  it.each([
    [5, {}],
    ['', {}],
    ['a\0b', {}],
    ['x', { workFactor: 9 }],
    ['x', { workFactor: 21 }],
    ['x', { workfactor: 18 }],
    ['x', { passphrase: 5 }],
    ['x', null],
  ])('refuses arguments outside what is documented: %j, %j', (path, options) => {
    expect(() => localKeyring(path as string, options as LocalKeyringOptions)).toThrow(
      failure('invalid-argument'),
    );
  });

  it('shows neither key nor passphrase when inspected', async () => {
    const { path, keyring } = await madeKeyring();
    await keyring.wrap('local://app', secret, context);
    const shown = inspect(keyring, { depth: 20, showHidden: true });
    expect(shown).not.toContain(passphrase);
    expect(shown).not.toContain((await decrypted(path)).keys[0]?.key);
    expect(shown).not.toMatch(/Uint8Array|Buffer/);
  });
});
