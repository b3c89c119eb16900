import { beforeEach, describe, expect, it } from 'vitest';
import { anyOf, KeyboundError, serviceKey } from '../../src/index.js';
import { namespacesFolder } from '../../src/storage/layout.js';
import { type ObjectKey, type ObjectStore } from '../../src/storage/store.js';
import { bytes, codeOf, makeWorld, type World } from './support.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

/** A view of the store that does something of its own around `put`. */
function around(
  put: (key: ObjectKey, store: () => ReturnType<ObjectStore['put']>) => ReturnType<ObjectStore['put']>,
): ObjectStore {
  const { store } = world;
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'put') {
        return (...args: Parameters<ObjectStore['put']>) => put(args[0], () => store.put(...args));
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

async function storedNames(folder: string): Promise<string[]> {
  return (await world.store.list(folder)).entries.map((entry) => entry.name);
}

const wrapsOf = (generation: number): string =>
  `${namespacesFolder(world.config.registry)}/acme/wraps/${String(generation)}`;
const bindings = (): string => `${namespacesFolder(world.config.registry)}/acme/bindings`;

describe('a namespace', () => {
  it('goes through its life, and every verb says what it did', async () => {
    const keybound = world.process();
    const acme = await keybound.create('acme', { key: 'local://acme', owner: 'Acme', dataClass: 'personal' });
    const record = await acme.encryptRecord('a', bytes('1'));
    const first = await acme.describe();
    expect(first.trust).toBe(acme.trust);
    expect(first).toMatchObject({
      id: 'acme',
      region: 'eu',
      status: 'active',
      epoch: 1,
      owner: 'Acme',
      dataClass: 'personal',
    });
    expect(first.policy).toEqual([[{ uri: 'local://acme', by: 'owner' }]]);

    const rotated = await acme.rotate();
    expect(rotated.generations).toEqual([
      { number: 1, status: 'decrypt-only' },
      { number: 2, status: 'active' },
    ]);
    expect(await acme.decryptRecord('a', record)).toEqual(bytes('1'));
    const newer = await acme.encryptRecord('a', bytes('2'));

    expect(await acme.suspend()).toMatchObject({ status: 'suspended', epoch: 3 });
    const attempts = [
      acme.decryptRecord('a', newer),
      acme.encryptRecord('a', bytes('3')),
      acme.rotate(),
      acme.put('x', bytes('x')),
      acme.get('x'),
    ];
    expect(await Promise.all(attempts.map(codeOf))).toEqual(attempts.map(() => 'namespace-suspended'));
    const resumed = await acme.resume();
    expect(resumed).toMatchObject({ status: 'active', epoch: 4 });
    expect(await acme.decryptRecord('a', newer)).toEqual(bytes('2'));
    expect(
      await (await world.process().open('acme', { trust: resumed.trust })).decryptRecord('a', record),
    ).toEqual(bytes('1'));

    const verbs = world.events.flatMap((event) =>
      event.type === 'binding-changed' ? [`${event.verb} ${String(event.epoch)}`] : [],
    );
    expect(verbs).toEqual(['create 1', 'rotate 2', 'suspend 3', 'resume 4']);
  });

  it('is found by list, locate and open, and by those alone that ask the right way', async () => {
    const keybound = world.process();
    for (const id of ['acme', 'Acme', 'acme.eu-1', 'a_']) await keybound.create(id, { key: 'local://acme' });
    const ids = [];
    for await (const id of keybound.list()) ids.push(id);
    expect(ids.sort()).toEqual(['Acme', 'a_', 'acme', 'acme.eu-1']);
    expect((await keybound.locate('Acme')).map((one) => one.region)).toEqual(['eu']);
    expect(await keybound.locate('nobody')).toEqual([]);
    expect(await codeOf(keybound.open('nobody'))).toBe('namespace-not-found');
    for (const id of ['', 'a', '_registry', '../acme', 'a/b', 'ä-ö', 'x'.repeat(129), undefined, 7]) {
      expect(await codeOf(keybound.open(id as string))).toBe('invalid-argument');
    }
    expect(await codeOf(keybound.open('acme', { region: 'us' }))).toBe('invalid-argument');
  });

  it('suspending twice, resuming twice, changes nothing the second time', async () => {
    const acme = await world.process().create('acme', { key: 'local://acme' });
    const once = await acme.suspend();
    expect((await acme.suspend()).trust).toBe(once.trust);
    const active = await acme.resume();
    expect((await acme.resume()).trust).toBe(active.trust);
  });

  it('can be suspended while the owner’s KMS refuses, but not resumed or rotated', async () => {
    const acme = await world.process().create('acme', { key: 'local://acme' });
    world.keys.turn('local://acme', 'key-revoked');
    expect(await codeOf(acme.rotate())).toBe('key-revoked');
    await acme.suspend();
    expect(await codeOf(acme.resume())).toBe('key-revoked');
    world.keys.turn('local://acme', 'on');
    expect((await acme.resume()).status).toBe('active');
  });

  it('can be administered only where there is a signing key', async () => {
    await world.process().create('acme', { key: 'local://acme' });
    const reader = world.process({ reader: true });
    const acme = await reader.open('acme');
    expect((await acme.encryptRecord('a', bytes('1'))).length).toBe(81);
    const attempts = [acme.suspend(), acme.rotate(), reader.create('globex', { key: 'local://globex' })];
    expect(await Promise.all(attempts.map(codeOf))).toEqual(attempts.map(() => 'no-signing-key'));
  });

  it('can be administered with the recovery root when the first one is lost', async () => {
    const acme = await world.process().create('acme', { key: 'local://acme' });
    const record = await acme.encryptRecord('a', bytes('1'));
    world.keys.turn('local://service', 'key-destroyed');
    expect(await codeOf(acme.rotate())).toBe('key-destroyed');
    const again = await world.process({ signing: world.recovery }).open('acme');
    expect((await again.rotate()).epoch).toBe(2);
    expect(await again.decryptRecord('a', record)).toEqual(bytes('1'));
  });
});

describe('creating', () => {
  it('refuses what exists', async () => {
    const keybound = world.process();
    await keybound.create('acme', { key: 'local://acme' });
    expect(await codeOf(keybound.create('acme', { key: 'local://acme' }))).toBe('namespace-exists');
  });

  it('by eight processes at once: one wins, the others are told, and leave nothing behind', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(world.process().create('acme', { key: 'local://acme' }))),
    );
    expect(outcomes.filter((one) => one === 'namespace-exists')).toHaveLength(7);
    expect(await storedNames(bindings())).toEqual(['1']);
    expect(await storedNames(wrapsOf(1))).toHaveLength(1);
    const acme = await world.process().open('acme');
    expect((await acme.encryptRecord('a', bytes('1'))).length).toBe(81);
  });

  it('refuses a key where the region allows none, before asking any KMS', async () => {
    const { keys, store, config } = world;
    const { openKeybound } = await import('../../src/index.js');
    const elsewhere = openKeybound({
      ...config,
      keys: [keys],
      regions: { eu: { store, keyLocations: ['aws:eu-west-1'] } },
    });
    expect(await codeOf(elsewhere.create('acme', { key: 'local://acme' }))).toBe('region-mismatch');
    expect(keys.calls).toEqual([]);
  });

  it('refuses a policy in which the owner holds no switch, unless that is said', async () => {
    const keybound = world.process();
    const key = anyOf('local://acme', serviceKey('local://vendor'));
    expect(await codeOf(keybound.create('acme', { key }))).toBe('owner-cannot-revoke');
    const acme = await keybound.create('acme', { key, ownerCannotRevoke: true });
    expect((await acme.describe()).ownerCannotRevoke).toBe(true);
  });

  it('refuses unknown options, keys of no provider, and labels out of bounds', async () => {
    const keybound = world.process();
    const bad: unknown[] = [
      { key: 'local://acme', color: 'red' },
      { key: 'local://acme', owner: '' },
      { key: 'local://acme', owner: 'a\nb' },
      { key: 'local://acme', parent: '../x' },
      { key: 'LOCAL://acme' },
      { key: {} },
      { key: { anyOf: [] } },
      {},
      null,
      'local://acme',
    ];
    for (const options of bad) {
      expect(await codeOf(keybound.create('acme', options as { key: string }))).toBe('invalid-argument');
    }
    expect(await codeOf(keybound.create('acme', { key: 'aws-kms://arn' }))).toBe('misconfigured');
  });

  it('refuses a store that cannot create conditionally', async () => {
    const { store } = world;
    const weak: ObjectStore = Object.assign(
      around((_, put) => put()),
      {},
    );
    const keybound = world.process({
      through: new Proxy(weak, {
        get: (target, name) =>
          name === 'describe'
            ? async () => ({ ...(await store.describe()), conditionalCreate: false })
            : (Reflect.get(target, name) as unknown),
      }),
    });
    expect(await codeOf(keybound.create('acme', { key: 'local://acme' }))).toBe('store-unsupported');
  });
});

describe('two processes that change one namespace at once', () => {
  it('exactly one wins, the other gets a retryable error and can repeat', async () => {
    await world.process().create('acme', { key: 'local://acme' });
    const [a, b] = await Promise.all([world.process().open('acme'), world.process().open('acme')]);
    const results = await Promise.allSettled([a.rotate(), b.rotate()]);
    const lost = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeInstanceOf(KeyboundError);
    expect(lost[0]).toMatchObject({ code: 'namespace-changed', retryable: true });
    expect(await storedNames(wrapsOf(2))).toHaveLength(1);
    expect((await b.rotate()).generations).toHaveLength(3);
  });

  it('many changes from many processes: each acknowledged one is in the chain', async () => {
    await world.process().create('acme', { key: 'local://acme' });
    const handles = await Promise.all(Array.from({ length: 6 }, () => world.process().open('acme')));
    let acknowledged = 0;
    await Promise.all(
      handles.map(async (acme) => {
        for (let i = 0; i < 4; i++) {
          const outcome = await codeOf(acme.rotate());
          if (typeof outcome === 'object') acknowledged++;
          else expect(outcome).toBe('namespace-changed');
        }
      }),
    );
    const { epoch, generations } = await (await world.process().open('acme')).describe();
    expect(epoch).toBe(1 + acknowledged);
    expect(generations).toHaveLength(1 + acknowledged);
    const acme = await world.process().open('acme');
    expect((await acme.encryptRecord('a', bytes('1'))).length).toBe(81);
  });

  it('a success whose answer was lost is still a success', async () => {
    await world.process().create('acme', { key: 'local://acme' });
    const lossy = around(async (key, put) => {
      const stored = await put();
      if (!key.folder.endsWith('/bindings')) return stored;
      throw new KeyboundError('store-unavailable', 'the answer was lost');
    });
    const acme = await world.process({ through: lossy }).open('acme');
    expect((await acme.rotate()).epoch).toBe(2);
    expect((await (await world.process().open('acme')).describe()).generations).toHaveLength(2);
  });

  it('a store that failed before storing leaves the chain as it was, and its wraps in place', async () => {
    const keybound = world.process();
    await keybound.create('acme', { key: 'local://acme' });
    const broken = around((key, put) => {
      if (!key.folder.endsWith('/bindings')) return put();
      throw new KeyboundError('store-unavailable', 'nothing was stored');
    });
    const acme = await world.process({ through: broken }).open('acme');
    expect(await codeOf(acme.rotate())).toBe('store-unavailable');
    expect((await acme.describe()).epoch).toBe(1);
    expect(await storedNames(wrapsOf(2))).toHaveLength(1);
    expect((await (await keybound.open('acme')).rotate()).epoch).toBe(2);
  });
});

describe('wraps', () => {
  const theWrap = async (generation: number): Promise<ObjectKey> => {
    const [name = ''] = await storedNames(wrapsOf(generation));
    return { folder: wrapsOf(generation), name };
  };
  async function* of(data: Uint8Array) {
    await Promise.resolve();
    yield data;
  }

  it('that are missing, altered or another’s are refused, and nothing is decrypted', async () => {
    const keybound = world.process();
    const acme = await keybound.create('acme', { key: 'local://acme' });
    const globex = await keybound.create('globex', { key: 'local://acme' });
    const record = await acme.encryptRecord('a', bytes('1'));
    expect((await globex.encryptRecord('a', bytes('1'))).length).toBe(81);
    const place = await theWrap(1);
    const found = await world.store.get(place);
    const parts = [];
    for await (const part of found?.bytes ?? []) parts.push(part);
    const original = Buffer.concat(parts);

    await world.store.delete(place);
    keybound.purge();
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('wrap-invalid');

    const altered = Buffer.from(original.toString().replace('local://acme', 'local://globe'));
    await world.store.put(place, of(altered));
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('wrap-invalid');

    await world.store.put(place, of(new Uint8Array(600 * 1024)));
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('wrap-invalid');

    await world.store.put(place, of(original));
    expect(await acme.decryptRecord('a', record)).toEqual(bytes('1'));
  });
});
