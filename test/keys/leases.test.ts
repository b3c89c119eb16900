import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Leased, Leases } from '../../src/keys/leases.js';
import { type Namespace } from '../../src/index.js';
import { bytes, codeOf, makeWorld, type World } from '../lifecycle/support.js';

describe('leases of one key', () => {
  class Lease implements Leased {
    readonly leaseMs = 30_000;
    ended: string | undefined;
    end(reason: string): void {
      this.ended = reason;
    }
  }
  const clock = { wall: 0, mono: 0, now: () => clock.wall, monotonic: () => clock.mono };
  let leases: Leases<Lease>;
  let loads = 0;
  const load = (): Promise<Lease> => {
    loads++;
    return Promise.resolve(new Lease());
  };
  beforeEach(() => {
    clock.wall = clock.mono = 1_000_000;
    loads = 0;
    leases = new Leases(clock, 30_000);
  });

  it('ten thousand at once cost one flight', async () => {
    const all = await Promise.all(Array.from({ length: 10_000 }, () => leases.get('a', load)));
    expect(loads).toBe(1);
    expect(new Set(all).size).toBe(1);
  });

  it('end at their age by either clock, whichever is ahead, and never slide on use', async () => {
    const first = await leases.get('a', load);
    clock.mono += 29_999;
    expect(await leases.get('a', load)).toBe(first);
    clock.wall += 30_000;
    expect(await leases.get('a', load)).not.toBe(first);
    expect(first.ended).toBe('expired');
    const second = await leases.get('a', load);
    clock.mono += 30_000;
    clock.wall -= 86_400_000;
    expect(await leases.get('a', load)).not.toBe(second);
  });

  it('count from before their first request, not from its answer', async () => {
    const slow = leases.get('a', async () => {
      clock.mono += 29_000;
      return load();
    });
    const first = await slow;
    clock.mono += 1_000;
    expect(await leases.get('a', load)).not.toBe(first);
  });

  it('keep no failure', async () => {
    await expect(leases.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await leases.get('a', load)).toBeInstanceOf(Lease);
  });

  it('one waiter’s signal ends that wait alone', async () => {
    let finish: (lease: Lease) => void = () => undefined;
    const flight = (): Promise<Lease> => new Promise((resolve) => (finish = resolve));
    const controller = new AbortController();
    const patient = leases.get('a', flight);
    const hasty = leases.get('a', flight, controller.signal);
    controller.abort();
    expect(await codeOf(hasty)).toBe('aborted');
    finish(new Lease());
    expect(await patient).toBeInstanceOf(Lease);
  });

  it('purged while being obtained, are over on arrival', async () => {
    let finish: (lease: Lease) => void = () => undefined;
    const early = leases.get('a', () => new Promise((resolve) => (finish = resolve)));
    leases.purge('a');
    const later = await leases.get('a', load);
    finish(new Lease());
    expect((await early).ended).toBe('purged');
    expect(later.ended).toBeUndefined();
  });
});

describe('the owner’s switch', () => {
  let world: World;
  let acme: Namespace;
  let record: Uint8Array;
  beforeEach(async () => {
    world = await makeWorld();
    await world.process().create('acme', { key: 'local://acme' });
    acme = await world.process({ reader: true }).open('acme');
    record = await acme.encryptRecord('a', bytes('1'));
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('off: reads and writes stop within 30 s; on: they work again', async () => {
    acme = await world.process({ reader: true }).open('acme');
    await acme.decryptRecord('a', record);
    world.keys.turn('local://acme', 'key-revoked');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await acme.decryptRecord('a', record)).toEqual(bytes('1'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('key-revoked');
    expect(await codeOf(acme.encryptRecord('a', bytes('2')))).toBe('key-revoked');
    world.keys.turn('local://acme', 'on');
    expect(await acme.decryptRecord('a', record)).toEqual(bytes('1'));
  });

  it('suspension by another process reaches this one within 30 s', async () => {
    acme = await world.process({ reader: true }).open('acme');
    await acme.decryptRecord('a', record);
    await (await world.process().open('acme')).suspend();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await codeOf(acme.decryptRecord('a', record))).toBe('namespace-suspended');
  });

  it('what another process rotated to is readable here, and written here within 30 s', async () => {
    acme = await world.process({ reader: true }).open('acme');
    await acme.decryptRecord('a', record);
    const other = await world.process().open('acme');
    await other.rotate();
    const newer = await other.encryptRecord('a', bytes('2'));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await acme.decryptRecord('a', newer)).toEqual(bytes('2'));
    expect((await acme.encryptRecord('a', bytes('3')))[7]).toBe(2);
  });

  it('a thousand reads in a lease cost one unwrap, and the next lease one more', async () => {
    acme = await world.process({ reader: true }).open('acme');
    world.keys.calls.length = 0;
    await Promise.all(Array.from({ length: 1_000 }, () => acme.decryptRecord('a', record)));
    expect(world.keys.calls).toEqual(['unwrap local://acme']);
    await vi.advanceTimersByTimeAsync(30_000);
    await acme.decryptRecord('a', record);
    expect(world.keys.calls).toHaveLength(2);
  });
});
