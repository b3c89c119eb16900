/*
 * What must hold after processes were killed. Everything is looked at through fresh instances, as the next run would.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type Keybound,
  KeyboundError,
  type Namespace,
  type NewRegistry,
  openKeybound,
} from '../../../src/index.js';
import { localKeyring, type LocalKeyring } from '../../../src/keys/providers/local/index.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { type Killed } from './kills.js';
import {
  adminNamespaces,
  type Administered,
  type Begun,
  dataNamespaces,
  passphrase,
  readBody,
  workFactor,
} from './work.js';

/** Errors that say that somebody else was faster, or that there is nothing to do. */
const expected: Readonly<Record<string, readonly string[]>> = {
  put: ['namespace-changed'],
  'put if absent': ['namespace-changed', 'object-exists'],
  increment: ['namespace-changed', 'object-exists', 'precondition-failed'],
  delete: [],
  read: ['object-not-found', 'object-changed'],
  rotate: ['namespace-changed', 'namespace-suspended'],
  suspend: ['namespace-changed'],
  resume: ['namespace-changed'],
  create: ['namespace-exists'],
  createKey: ['invalid-argument'],
  disableKey: ['key-not-found', 'key-destroyed'],
  enableKey: ['key-not-found', 'key-destroyed'],
  destroyKey: ['key-not-found'],
};

/** One thing that was begun. */
interface Deed extends Begun {
  readonly id: string;
  readonly begin: number;
  /** When it was done, or could no longer be. */
  readonly end: number;
  readonly done: boolean;
  readonly administered: Administered | undefined;
  readonly blob: string | undefined;
}

/** All that may have changed something, by target. Fails on errors that nobody expects. */
function deedsOf(killed: readonly Killed[]): Map<string, Deed[]> {
  const deeds = new Map<string, Deed[]>();
  for (const { lines, at } of killed) {
    const ends = new Map(lines.flatMap((line) => (line.phase === 'begin' ? [] : [[line.id, line] as const])));
    for (const line of lines) {
      if (line.phase !== 'begin') continue;
      const end = ends.get(line.id);
      if (end?.phase === 'failed') {
        const { verb, target } = line.begun;
        expect(expected[verb], `${verb} of ${target}`).toContain(end.error);
        continue;
      }
      if (end?.idle === true || line.begun.verb === 'read') continue;
      const deed: Deed = {
        ...line.begun,
        id: line.id,
        begin: line.at,
        end: end?.at ?? at,
        done: end !== undefined,
        administered: end?.administered,
        blob: end?.blob,
      };
      deeds.set(deed.target, [...(deeds.get(deed.target) ?? []), deed]);
    }
  }
  return deeds;
}

/** What a target may be now: what was there before or was set, unless something acknowledged was begun after that ended. */
function possible(before: string | null, deeds: readonly Deed[]): (string | null)[] {
  const lastBegun = Math.max(-Infinity, ...deeds.filter(({ done }) => done).map(({ begin }) => begin));
  const since = deeds.filter(({ end }) => end >= lastBegun).map(({ sets }) => sets);
  return lastBegun === -Infinity ? [before, ...since] : since;
}

async function openIfMade(keybound: Keybound, id: string): Promise<Namespace | null> {
  try {
    return await keybound.open(id);
  } catch (error) {
    if (error instanceof KeyboundError && error.code === 'namespace-not-found') return null;
    throw error;
  }
}

/** What was acknowledged so far. */
export interface Acknowledged {
  writes: number;
  administered: number;
  keys: number;
}

export class Checker {
  readonly acknowledged: Acknowledged = { writes: 0, administered: 0, keys: 0 };
  readonly #folder: string;
  readonly #config: NewRegistry['config'];
  /** As it was found to be after the batch before. */
  readonly #before = new Map<string, string | null>();
  readonly #epochs = new Map<string, number>();

  constructor(folder: string, config: NewRegistry['config']) {
    this.#folder = folder;
    this.#config = config;
  }

  async check({
    number,
    killed,
  }: {
    readonly number: number;
    readonly killed: readonly Killed[];
  }): Promise<void> {
    const deeds = deedsOf(killed);
    await this.#checkObjects(deeds);
    await this.#checkNamespaces(deeds);
    await this.#checkKeys(deeds);
    await this.#checkLeftovers(number);
  }

  #keyring(): LocalKeyring {
    return localKeyring(join(this.#folder, 'keyring.age'), { passphrase, workFactor });
  }

  #keybound(): Keybound {
    return openKeybound({
      ...this.#config,
      regions: { eu: { store: fileStore(join(this.#folder, 'store')), keyLocations: ['local'] } },
      keys: [this.#keyring()],
    });
  }

  /** Every object is one whole body, and a possible one; every one that was acknowledged is there. */
  async #checkObjects(deeds: ReadonlyMap<string, readonly Deed[]>): Promise<void> {
    const keybound = this.#keybound();
    const found = new Map<string, string>();
    for (const id of dataNamespaces) {
      const namespace = await keybound.open(id);
      for await (const { name } of namespace.list()) {
        const object = await namespace.get(name);
        const body = readBody(await object.bytes());
        expect(object.metadata.pairs).toEqual({ id: body.id });
        found.set(`object ${id} ${name}`, body.id);
        if (name === 'counter') this.#checkCounter(body.count, deeds.get(`object ${id} ${name}`) ?? []);
      }
    }
    for (const target of new Set([...this.#before.keys(), ...deeds.keys(), ...found.keys()])) {
      if (!target.startsWith('object ')) continue;
      const its = deeds.get(target) ?? [];
      const is = found.get(target) ?? null;
      expect(possible(this.#before.get(target) ?? null, its), target).toContain(is);
      const created = its.filter(({ verb, done }) => verb === 'put if absent' && done);
      expect(created.length, `times that ${target} was created`).toBeLessThanOrEqual(1);
      this.#before.set(target, is);
      this.acknowledged.writes += its.filter(({ done }) => done).length;
    }
  }

  /** No increment was lost: each acknowledged count was reached once. */
  #checkCounter(count: number, deeds: readonly Deed[]): void {
    const counts = deeds.filter(({ done }) => done).map((deed) => deed.count ?? 0);
    expect(new Set(counts).size).toBe(counts.length);
    expect(count).toBeGreaterThanOrEqual(Math.max(0, ...counts));
  }

  async #namespaces(): Promise<string[]> {
    const ids: string[] = [];
    for await (const id of this.#keybound().list()) ids.push(id);
    return ids;
  }

  /** Each chain is valid, holds what was acknowledged of it, and no more epochs than were begun. */
  async #checkNamespaces(deeds: ReadonlyMap<string, readonly Deed[]>): Promise<void> {
    const listed = await this.#namespaces();
    expect(listed).toEqual(expect.arrayContaining([...dataNamespaces, ...adminNamespaces]));
    for (const id of listed) {
      const target = `namespace ${id}`;
      const its = deeds.get(target) ?? [];
      const namespace = await openIfMade(this.#keybound(), id);
      if (namespace === null) {
        // Wraps, but no binding: nobody was told that it was made.
        expect(its.filter(({ done }) => done)).toEqual([]);
        expect(this.#epochs.has(target)).toBe(false);
        continue;
      }
      const now = await namespace.describe();
      const generation = Math.max(...now.generations.map(({ number }) => number));
      const before = this.#epochs.get(target) ?? (id.startsWith('made-') ? 0 : 1);
      const made = new Set(its.flatMap(({ administered }) => administered?.epoch ?? []));
      const unknown = its.filter(({ done }) => !done).length;
      expect(now.epoch).toBeLessThanOrEqual(
        before + [...made].filter((epoch) => epoch > before).length + unknown,
      );
      expect(now.generations.filter(({ status }) => status === 'active')).toHaveLength(1);
      expect(now.generations.map(({ number }) => number)).toEqual(
        Array.from({ length: generation }, (_, i) => i + 1),
      );
      for (const { administered } of its) {
        if (administered === undefined) continue;
        expect(now.epoch).toBeGreaterThanOrEqual(administered.epoch);
        expect(generation).toBeGreaterThanOrEqual(administered.generation);
        // Refused unless the chain holds that very epoch.
        const { trust } = await this.#keybound().open(id, { trust: administered.trust });
        if (administered.epoch === now.epoch) expect(trust).toBe(administered.trust);
      }
      this.#epochs.set(target, now.epoch);
      this.acknowledged.administered += its.filter(({ done }) => done).length;
    }
    for (const [target, its] of deeds) {
      if (!target.startsWith('namespace ') || !its.some(({ done }) => done)) continue;
      expect(listed).toContain(target.split(' ')[1]);
    }
  }

  /** The keyring opens, holds what was acknowledged, and its keys still unwrap what they wrapped. */
  async #checkKeys(deeds: ReadonlyMap<string, readonly Deed[]>): Promise<void> {
    const keyring = this.#keyring();
    const found = new Map((await keyring.listKeys()).map(({ name, state }) => [`key ${name}`, state]));
    for (const [target, its] of deeds) {
      if (!target.startsWith('key ')) continue;
      const is = found.get(target) ?? null;
      expect(possible(this.#before.get(target) ?? null, its), target).toContain(is);
      if (its.some(({ done, sets }) => done && sets === 'destroyed')) expect(is).toBe('destroyed');
      for (const { blob } of its) {
        if (blob === undefined || is !== 'enabled') continue;
        await keyring.unwrap(`local://${target.slice('key '.length)}`, Buffer.from(blob, 'hex'), {});
      }
      this.#before.set(target, is);
      this.acknowledged.keys += its.filter(({ done }) => done).length;
    }
    for (const name of ['service', 'recovery', 'tenant']) expect(found.get(`key ${name}`)).toBe('enabled');
  }

  /** The next write clears away whatever was left. */
  async #checkLeftovers(batch: number): Promise<void> {
    const namespace = await this.#keybound().open(dataNamespaces[0]);
    await namespace.put('after', new Uint8Array(0));
    await namespace.delete('after');
    expect(readdirSync(join(this.#folder, 'store', '@tmp'))).toEqual([]);
    await this.#keyring().createKey(`after-${String(batch)}`);
    expect(readdirSync(this.#folder).sort()).toEqual(['keyring.age', 'store', 'work']);
  }

  /**
   * At the end: all can go on. Returns how many wraps no binding names, which stay on purpose: docs/decisions/0005.
   */
  async checkGoingOn(): Promise<number> {
    const keybound = this.#keybound();
    let strays = 0;
    for (const id of await this.#namespaces()) {
      const namespace =
        (await openIfMade(keybound, id)) ?? (await keybound.create(id, { key: 'local://tenant' }));
      await namespace.resume();
      const { generations } = await namespace.rotate();
      for (const { number } of generations) {
        strays += readdirSync(join(this.#wrapsFolder(id), String(number))).length - 1;
      }
    }
    return strays;
  }

  #wrapsFolder(namespace: string): string {
    const { registry } = this.#config;
    return join(this.#folder, 'store', 'keybound', registry, 'namespaces', namespace, 'wraps');
  }
}
