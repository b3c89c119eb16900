import { readdirSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { localKeys } from '../../../../src/keys/providers/local/index.js';
import { Keyring } from '../../../../src/keys/providers/local/keyring.js';
import {
  context,
  decrypted,
  failure,
  freshPath,
  madeKeyring,
  openKeyring,
  passphrase,
  secret,
} from './fixtures.js';

describe('administration', () => {
  it('tells what it did and what there is', async () => {
    const { keyring } = await madeKeyring();
    const created = await keyring.createKey('b');
    expect(created).toEqual({ name: 'b', uri: 'local://b', state: 'enabled', createdAt: created.createdAt });
    expect(await keyring.disableKey('b')).toEqual({ ...created, state: 'disabled' });
    expect(await keyring.disableKey('b')).toEqual({ ...created, state: 'disabled' });
    expect(await keyring.enableKey('b')).toEqual(created);
    expect(await keyring.enableKey('b')).toEqual(created);
    expect(await keyring.destroyKey('b')).toEqual({ ...created, state: 'destroyed' });
    expect(await keyring.destroyKey('b')).toEqual({ ...created, state: 'destroyed' });
    expect((await keyring.listKeys()).map(({ uri, state }) => [uri, state])).toEqual([
      ['local://app', 'enabled'],
      ['local://b', 'destroyed'],
    ]);
  });

  it('destroys for good: the bytes are gone, the name stays taken', async () => {
    const { path, keyring } = await madeKeyring();
    const [before] = (await decrypted(path)).keys;
    await keyring.destroyKey('app');
    const content = await decrypted(path);
    expect(content.keys).toEqual([{ ...before, state: 'destroyed', key: null }]);
    expect(JSON.stringify(content)).not.toContain(before?.key);
    await expect(keyring.enableKey('app')).rejects.toEqual(failure('key-destroyed', /local:\/\/app/));
    await expect(keyring.disableKey('app')).rejects.toEqual(failure('key-destroyed'));
    await expect(keyring.createKey('app')).rejects.toEqual(
      failure('invalid-argument', /local:\/\/app, which is destroyed/),
    );
    expect((await keyring.describe('local://app')).state).toBe('destroyed');
  });

  it('refuses names that are taken, unknown or none', async () => {
    const { keyring } = await madeKeyring();
    await expect(keyring.createKey('app')).rejects.toEqual(failure('invalid-argument', /which is enabled/));
    await expect(keyring.disableKey('nope')).rejects.toEqual(
      failure('key-not-found', /local:\/\/nope .*createKey/),
    );
    for (const name of [
      '',
      'A',
      'a/b',
      '../x',
      'a'.repeat(64),
      'local://app',
      undefined as unknown as string,
    ]) {
      await expect(keyring.createKey(name)).rejects.toEqual(failure('invalid-argument'));
      await expect(keyring.destroyKey(name)).rejects.toEqual(failure('invalid-argument'));
    }
  });

  it('does nothing once its signal has aborted', async () => {
    const { keyring } = await madeKeyring();
    const options = { signal: AbortSignal.abort() };
    for (const call of [
      () => keyring.createKey('b', options),
      () => keyring.disableKey('app', options),
      () => keyring.listKeys(options),
    ]) {
      await expect(call()).rejects.toEqual(failure('aborted'));
    }
    expect((await keyring.listKeys()).map(({ name, state }) => [name, state])).toEqual([['app', 'enabled']]);
  });

  it('loses no key that two instances create at once', async () => {
    const { path, keyring } = await madeKeyring();
    const other = openKeyring(path);
    const names = Array.from({ length: 8 }, (_, i) => `key-${String(i)}`);
    await Promise.all(names.map((name, i) => (i % 2 === 0 ? keyring : other).createKey(name)));
    const listed = (await openKeyring(path).listKeys()).map(({ name }) => name);
    expect(listed.sort()).toEqual(['app', ...names]);
    expect(readdirSync(join(path, '..'))).toEqual(['keyring.age']);
  });

  it('lets one of two instances make the file, and one of two the key', async () => {
    const path = freshPath();
    const outcomes = await Promise.allSettled([
      openKeyring(path).createKey('app'),
      openKeyring(path).createKey('app'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await openKeyring(path).listKeys()).toHaveLength(1);
  });
});

describe('a keyring that another instance changes', () => {
  it('is seen as it is by the very next call', async () => {
    const { path, keyring } = await madeKeyring();
    const admin = openKeyring(path);
    for (let round = 0; round < 3; round++) {
      const blob = await keyring.wrap('local://app', secret, context);
      await admin.disableKey('app');
      await expect(keyring.unwrap('local://app', blob, context)).rejects.toEqual(
        failure('key-revoked', /local:\/\/app is disabled: enable it/),
      );
      await admin.enableKey('app');
      expect(await keyring.unwrap('local://app', blob, context)).toEqual(secret);
    }
    await admin.createKey('new');
    await keyring.wrap('local://new', secret, context);
  });

  it('is never used while it is being replaced, except by keys it has', async () => {
    const { path, keyring } = await madeKeyring();
    const admin = openKeyring(path);
    const [entry] = (await decrypted(path)).keys;
    const provider = localKeys({ app: entry?.key ?? '' });
    const changes = (async () => {
      for (let i = 0; i < 6; i++) await (i % 2 === 0 ? admin : keyring).createKey(`key-${String(i)}`);
      return 'done';
    })();
    let blobs = 0;
    while ((await Promise.race([changes, keyring.wrap('local://app', secret, context)])) !== 'done') {
      const some = await Promise.all(
        Array.from({ length: 5 }, () => keyring.wrap('local://app', secret, context)),
      );
      for (const blob of some) expect(await provider.unwrap('local://app', blob, context)).toEqual(secret);
      blobs += some.length;
    }
    expect(blobs).toBeGreaterThan(0);
  });

  it('is decrypted once for all who wait, and not again while it stays the same', async () => {
    const { path } = await madeKeyring();
    const ask = vi.fn(() => sleep(20, passphrase));
    const keyring = openKeyring(path, { passphrase: ask });
    expect(ask).not.toHaveBeenCalled();
    await Promise.all(Array.from({ length: 20 }, () => keyring.wrap('local://app', secret, context)));
    await keyring.describe('local://app');
    expect(ask).toHaveBeenCalledTimes(1);
    const now = new Date();
    utimesSync(path, now, now);
    await keyring.wrap('local://app', secret, context);
    expect(ask, 'the same bytes').toHaveBeenCalledTimes(1);
    await keyring.createKey('own');
    await keyring.wrap('local://own', secret, context);
    expect(ask, 'its own change').toHaveBeenCalledTimes(1);
    await openKeyring(path).createKey('b');
    await Promise.all(Array.from({ length: 20 }, () => keyring.wrap('local://b', secret, context)));
    expect(ask, 'another change').toHaveBeenCalledTimes(2);
  });

  it.each(['replaced', 'deleted'])('has its keys in memory wiped once it is %s', async (how) => {
    const { path } = await madeKeyring();
    const keyring = new Keyring({ path, workFactor: 10, passphrase: () => Promise.resolve(passphrase) });
    const key = await keyring.read(undefined, (find) => find('app')?.key);
    expect(key).not.toEqual(new Uint8Array(32));
    if (how === 'replaced') await openKeyring(path).createKey('b');
    else unlinkSync(path);
    await keyring.read(undefined, () => null).catch(() => null);
    expect(key).toEqual(new Uint8Array(32));
  });

  it('is gone when the file is gone', async () => {
    const { path, keyring } = await madeKeyring();
    await keyring.wrap('local://app', secret, context);
    unlinkSync(path);
    await expect(keyring.wrap('local://app', secret, context)).rejects.toEqual(
      failure('misconfigured', /there is no keyring at .*createKey/),
    );
  });
});
