import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyboundError, openKeybound } from '../../src/index.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { bytes, codeOf, makeWorld, type World } from './support.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await world.process().create('acme', { key: 'local://acme' });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The store, with some methods of another make. */
const altered = (methods: Partial<ObjectStore>): ObjectStore =>
  new Proxy(world.store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

describe('a lease', () => {
  it('that is purged while its key is being unwrapped is not used, and no zeroed key ever is', async () => {
    const keybound = world.process({ reader: true });
    const acme = await keybound.open('acme');
    const { unwrap } = world.keys;
    for (let i = 0; i < 5; i++) {
      let purges = 0;
      world.keys.unwrap = async (...args) => {
        const secret = await unwrap(...args);
        if (purges++ < 2) keybound.purge();
        return secret;
      };
      const record = await acme.encryptRecord('a', bytes('1'));
      expect(await (await world.process().open('acme')).decryptRecord('a', record)).toEqual(bytes('1'));
      keybound.purge();
    }
  });

  it('is over if the machine slept while its key was being unwrapped', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const acme = await world.process({ reader: true }).open('acme');
    const { unwrap } = world.keys;
    world.keys.unwrap = async (...args) => {
      const secret = await unwrap(...args);
      world.keys.unwrap = unwrap;
      await (await world.process().open('acme')).suspend();
      vi.setSystemTime(Date.now() + 3_600_000);
      return secret;
    };
    expect(await codeOf(acme.encryptRecord('a', bytes('1')))).toBe('namespace-suspended');
  });

  it('does not hang for ever on one read that did', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let hang = false;
    const through = altered({
      get: (...args) => (hang ? new Promise(() => undefined) : world.store.get(...args)),
    });
    const acme = await world.process({ reader: true, through }).open('acme');
    hang = true;
    void acme.encryptRecord('a', bytes('1')).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    hang = false;
    vi.setSystemTime(Date.now() + 30_000);
    expect((await acme.encryptRecord('a', bytes('1'))).length).toBe(81);
  });

  it('ends for all generations when the owner denies one', async () => {
    const acme = await world.process().open('acme');
    const old = await acme.encryptRecord('a', bytes('1'));
    await acme.rotate();
    const record = await acme.encryptRecord('a', bytes('2'));
    world.keys.turn('local://acme', 'key-revoked');
    expect(await acme.decryptRecord('a', record)).toEqual(bytes('2'));
    expect(await codeOf(acme.decryptRecord('a', old))).toBe('key-revoked');
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('key-revoked');
  });

  it('bounds a stream that is open when the key is disabled', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    const acme = await world.process({ reader: true }).open('acme');
    await acme.put('big', new Uint8Array(4 * 1024 * 1024));
    const reader = (await acme.get('big'))[Symbol.asyncIterator]();
    await reader.next();
    world.keys.turn('local://acme', 'key-revoked');
    await reader.next();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await codeOf(reader.next())).toBe('key-revoked');
    world.keys.turn('local://acme', 'on');
    expect(await reader.next()).toMatchObject({ done: true });
  });
});

describe('an epoch whose fate is unclear', () => {
  it('keeps its wraps: a store that answers “exists” to our own write and then cannot be read', async () => {
    let broken = false;
    const through = altered({
      put: async (key, ...rest) => {
        const stored = await world.store.put(key, ...rest);
        if (!key.folder.endsWith('/bindings')) return stored;
        broken = true;
        throw new KeyboundError('object-exists', 'a retry met its own first attempt');
      },
      get: (...args) => {
        if (!broken) return world.store.get(...args);
        broken = false;
        return Promise.reject(new KeyboundError('store-unavailable', 'busy'));
      },
    });
    const acme = await world.process({ through }).open('acme');
    await expect(acme.rotate()).rejects.toMatchObject({ code: 'store-unavailable', retryable: true });
    const again = await world.process().open('acme');
    expect((await again.describe()).generations).toHaveLength(2);
    expect((await again.encryptRecord('a', bytes('1'))).length).toBe(81);
  });
});

describe('a store that is not what it says', () => {
  const elsewhere = (): ObjectStore =>
    altered({ describe: async () => ({ ...(await world.store.describe()), location: 'aws:us-east-1' }) });

  it('in another location is not read: not by open, locate, list, or any verb', async () => {
    const { config, keys } = world;
    let reads = 0;
    const counted = new Proxy(elsewhere(), {
      get: (target, name) => {
        if (name === 'get' || name === 'list' || name === 'folders' || name === 'put') reads++;
        return Reflect.get(target, name) as unknown;
      },
    });
    const keybound = openKeybound({
      ...config,
      keys: [keys],
      regions: { eu: { store: counted, keyLocations: ['local'] } },
    });
    reads = 0;
    const first = async () => {
      for await (const found of keybound.list()) return found;
      return undefined;
    };
    for (const attempt of [
      () => keybound.open('acme'),
      () => keybound.locate('acme'),
      first,
      () => keybound.create('globex', { key: 'local://globex' }),
    ]) {
      expect(await codeOf(attempt())).toBe('region-mismatch');
    }
    expect(reads).toBe(0);
  });

  it('that forgets lengths, lies about them, or takes only a part, is found out', async () => {
    const acme = await world.process().open('acme');
    await acme.put('x', bytes('0123456789'));
    const withSize = (size: (real: number) => unknown) =>
      altered({
        get: async (...args) => {
          const found = await world.store.get(...args);
          const isObject = args[0].folder.includes('/objects/');
          return found === null || !isObject ? found : { ...found, size: size(found.size) as number };
        },
      });
    for (const size of [undefined, NaN, -1, 1.5]) {
      const lied = await world.process({ through: withSize(() => size) }).open('acme');
      expect(await codeOf(lied.get('x'))).toBe('store-failed');
      expect(await codeOf(lied.get('x', { range: { start: 0, end: 5 } }))).toBe('store-failed');
      expect(await codeOf(lied.head('x'))).toBe('store-failed');
    }
    const longer = await world.process({ through: withSize((real) => real + 3) }).open('acme');
    expect(await codeOf((await longer.get('x')).bytes())).toBe('integrity-failure');

    const forgetful = altered({
      put: (key, source, options) =>
        key.folder.includes('/objects/')
          ? Promise.resolve({ size: 0, version: '1' })
          : world.store.put(key, source, options),
    });
    const lost = await world.process({ through: forgetful }).open('acme');
    expect(await codeOf(lost.put('y', bytes('1')))).toBe('store-failed');
  });

  it('and gives fewer chunks of a range than asked for is found out', async () => {
    const acme = await world.process().open('acme');
    await acme.put('big', new Uint8Array(100_000));
    const short = altered({
      get: async (key, options) => {
        const range = options?.range;
        if (range === undefined || range.start === 0) return world.store.get(key, options);
        return world.store.get(key, { ...options, range: { start: range.start, end: range.start + 16_400 } });
      },
    });
    const lied = await world.process({ through: short }).open('acme');
    const object = await lied.get('big', { range: { start: 0, end: 40_000 } });
    expect(await codeOf(object.bytes())).toBe('integrity-failure');
  });
});

describe('a KMS that is not what it says', () => {
  it('whose wraps do not open again gets no namespace', async () => {
    const { wrap } = world.keys;
    world.keys.wrap = (uri, secret, context) =>
      wrap(uri, uri === 'local://globex' ? new Uint8Array(32) : secret, context);
    const keybound = world.process();
    expect(await codeOf(keybound.create('globex', { key: 'local://globex' }))).toBe('wrap-invalid');
    expect(await codeOf(keybound.open('globex'))).toBe('namespace-not-found');
  });
});

describe('options that are not what they should be', () => {
  it('are refused when the registry is opened, not dropped', () => {
    const { config, keys, store } = world;
    const good = { ...config, keys: [keys], regions: { eu: { store, keyLocations: ['local'] } } };
    const bad: object[] = [
      { onEvent: {} },
      { marks: {} },
      { keys: undefined },
      { keys: [] },
      { keys: [null] },
      { keys: [{}] },
      { keys: keys },
      { signing: { ...config.signing, wrapped: 5 } },
      { signing: { ...config.signing, publicKey: 'x' } },
      { regions: {} },
      { regions: { eu: { store: {}, keyLocations: ['local'] } } },
      { regions: { eu: { store, keyLocations: [] } } },
      { regions: { EU: { store, keyLocations: ['local'] } } },
      { registry: 'x' },
      { roots: [] },
      { color: 'red' },
    ];
    for (const change of bad) {
      expect(() => openKeybound({ ...good, ...change }), JSON.stringify(change)).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    }
    expect(openKeybound(good).registry).toBe(config.registry);
  });

  it('are refused in each call: a signal that is none, a condition that is none, a secret in place of a key', async () => {
    const keybound = world.process();
    const acme = await keybound.open('acme');
    const options = { signal: 'now' } as object;
    const calls = [
      acme.put('a', bytes('1'), options),
      acme.get('a', options),
      acme.head('a', options),
      acme.delete('a', options),
      acme.listPage(options),
      acme.encryptRecord('a', bytes('1'), options),
      acme.decryptRecord('a', bytes('1'), options),
      acme.suspend(options),
      acme.describe(options),
      keybound.open('acme', options),
      keybound.create('b1', { key: 'local://acme', ...options }),
      keybound.create('b1', { key: 'local://acme', ownerCannotRevoke: 'yes' as unknown as boolean }),
      acme.put('a', bytes('1'), { ifAbsent: 'yes' as unknown as boolean }),
    ];
    expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'invalid-argument'));
    const secret = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
    await expect(keybound.create('b1', { key: secret })).rejects.not.toThrow(secret.slice(0, 8));
  });

  it('an asynchronous listener that rejects disturbs nobody', async () => {
    const { config, keys, store } = world;
    const keybound = openKeybound({
      ...config,
      keys: [keys],
      regions: { eu: { store, keyLocations: ['local'] } },
      onEvent: () => Promise.reject(new Error('listener')),
    });
    expect((await keybound.create('globex', { key: 'local://globex' })).id).toBe('globex');
  });
});
