/*
 * 100,000 ways to give a process something other than what was encrypted: none is accepted, and no byte comes out that
 * was not put in at its place.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { IntegrityFailure, KeyboundError } from '../../src/errors.js';
import { type Namespace } from '../../src/index.js';
import { same } from '../support/bytes.js';
import { otherIdentities } from '../support/identities.js';
import { bodyEdges, type Mutation, mutations, transplants } from '../support/mutations.js';
import { Rng } from '../support/rng.js';
import { directObject, object, type Opening, record, type Seal, type Sealed } from '../support/sealed.js';
import { storeBytes } from '../support/stores.js';
import { makeWorld, type World } from '../support/world.js';

/** Change it to try others; a failure names it. */
const seed = 1;

const bySeal: readonly (readonly [
  what: string,
  seal: Seal,
  runs: readonly (readonly [size: number, count: number])[],
])[] = [
  [
    'record',
    record,
    [
      [0, 6000],
      [27, 12_000],
      [1000, 6000],
      [16_384, 1000],
      [33_000, 1000],
    ],
  ],
  [
    'object',
    object,
    [
      [0, 10_000],
      [100, 16_000],
      [1000, 8000],
      [16_384, 1500],
      [33_000, 1500],
    ],
  ],
  [
    'direct object',
    directObject,
    [
      [0, 6000],
      [100, 9000],
      [1000, 4000],
      [33_000, 1000],
    ],
  ],
];
const identitiesEach = 3000;
const transplantsEach = 1000;
const viaNamespace = { records: 2000, streams: 2000, stored: 1000 };

it('tries 100,000 mutations', () => {
  const mutants = bySeal.flatMap(([, , runs]) => runs.map(([, count]) => count));
  const others = bySeal.length * (identitiesEach + transplantsEach);
  const total = [...mutants, others, ...Object.values(viaNamespace)].reduce((sum, count) => sum + count, 0);
  expect(total).toBe(100_000);
});

const refusedAs = (failure: unknown): string | undefined =>
  failure instanceof IntegrityFailure
    ? 'integrity-failure'
    : failure instanceof KeyboundError
      ? failure.code
      : undefined;
const refusals: readonly (string | undefined)[] = ['integrity-failure', 'not-ciphertext', 'unsupported-form'];

/** Without `expect` for each: that would take longer than what it tests. */
function check({ released, failure }: Opening, message: Uint8Array, what: string): void {
  if (failure === undefined) expect.fail(`seed ${String(seed)}: accepted ${what}`);
  if (!refusals.includes(refusedAs(failure))) {
    expect.fail(`seed ${String(seed)}: ${what} failed with something else`, { cause: failure });
  }
  if (!same(released, message.subarray(0, released.length))) {
    expect.fail(`seed ${String(seed)}: ${what} released bytes that were not encrypted`);
  }
}

function* take<T>(count: number, endless: Iterable<T>): Generator<T> {
  let taken = 0;
  for (const one of endless) {
    if (taken++ === count) return;
    yield one;
  }
  throw new Error(`expected ${String(count)}, got ${String(taken)}`);
}

describe.each(bySeal)('a %s', (what, seal, runs) => {
  const sealed = (size: number, which = 0): Sealed =>
    seal(new Rng(seed + size).bytes(size), new Rng(seed + which));

  it.each(runs)('of %i bytes opens as it is', async (size) => {
    const { open, bytes, message, edges } = sealed(size);
    const { released, failure } = await open(bytes);
    expect(failure).toBeUndefined();
    expect(same(released, message)).toBe(true);
    expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
    expect(edges.at(-1)).toBe(bytes.length);
  });

  it.each(runs)('of %i bytes is refused in each of %i alterations', async (size, count) => {
    const { open, bytes, message, edges } = sealed(size);
    let i = 0;
    for (const mutation of take(count, mutations(bytes, new Rng(seed), edges))) {
      const about = `${what} of ${String(size)} bytes, mutation ${String(i++)}: ${mutation.what}`;
      check(await open(mutation.bytes), message, about);
    }
  });

  it('is refused under any other identity, with its own keys or with those of the other', async () => {
    const { open, bytes, message, identity } = sealed(100);
    for (const other of take(identitiesEach, otherIdentities(identity, new Rng(seed)))) {
      const about = `${what} with another ${other.what}: ${JSON.stringify(other.identity)}`;
      check(await open(bytes, other.identity), message, about);
      check(await open(bytes, other.identity, identity), message, about);
    }
  });

  it('is refused with any part of another of the same name', async () => {
    function* pairs(): Generator<Mutation & { own: Sealed }> {
      for (let which = 1; ; which++) {
        const size = which % 10 === 0 ? 33_000 : 100;
        const own = sealed(size);
        // Of the same value too: even then the parts belong together.
        const other = seal(which % 2 === 0 ? own.message : new Rng(which).bytes(size), new Rng(seed + which));
        for (const made of transplants(own.bytes, other.bytes, own.edges)) yield { ...made, own };
      }
    }
    for (const { what: how, bytes, own } of take(transplantsEach, pairs())) {
      check(await own.open(bytes), own.message, `${what}: ${how}`);
    }
  });
});

describe('through a namespace', () => {
  const value = new Rng(seed).bytes(20_000);
  let world: World;
  let acme: Namespace;
  beforeAll(async () => {
    world = await makeWorld();
    acme = await world.keybound.create('acme', { key: 'local://acme' });
  });

  async function opening(read: (release: (part: Uint8Array) => void) => Promise<void>): Promise<Opening> {
    const parts: Uint8Array[] = [];
    const failure = await read((part) => parts.push(part)).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { released: new Uint8Array(Buffer.concat(parts)), failure };
  }

  /** Its salts are new each time, so that a failure prints what failed. */
  async function checkAll(
    count: number,
    bytes: Uint8Array,
    edges: readonly number[],
    read: (mutant: Uint8Array, release: (part: Uint8Array) => void) => Promise<void>,
    message = value,
  ): Promise<void> {
    const reported = (): number => world.events.filter(({ type }) => type === 'integrity-failure').length;
    const before = reported();
    let expected = 0;
    for (const mutation of take(count, mutations(bytes, new Rng(seed), edges))) {
      const result = await opening((release) => read(mutation.bytes, release));
      check(result, message, `${mutation.what}: ${Buffer.from(mutation.bytes).toString('base64')}`);
      if (refusedAs(result.failure) !== 'integrity-failure') continue;
      expected++;
      expect((result.failure as KeyboundError).cause).toBeUndefined();
    }
    expect(reported() - before).toBe(expected);
  }

  const objectEdges = (bytes: Uint8Array): number[] => {
    const headerLength = 114 + (((bytes[112] ?? 0) << 8) | (bytes[113] ?? 0));
    return [0, 3, 4, 8, 32, 64, 112, 114, 138, 170, ...bodyEdges(bytes.length, headerLength)];
  };

  it('records are refused', async () => {
    const message = value.subarray(0, 100);
    const bytes = await acme.encryptRecord('name', message);
    const edges = [0, 3, 4, ...bodyEdges(bytes.length, 8)];
    await checkAll(viaNamespace.records, bytes, edges, async (mutant, release) => {
      release(await acme.decryptRecord('name', mutant));
    });
  });

  it('streams are refused', async () => {
    const bytes = await (await acme.encryptStream('name', value)).bytes();
    await checkAll(viaNamespace.streams, bytes, objectEdges(bytes), async (mutant, release) => {
      for await (const part of await acme.decryptStream('name', mutant)) release(part);
    });
  });

  describe('stored objects', () => {
    let bytes: Uint8Array;
    let store: (mutant: Uint8Array) => Promise<void>;
    beforeAll(async () => {
      bytes = await (await acme.encryptStream('name', value)).bytes();
      const place = world.placeOf(await acme.describe(), 'name');
      store = (mutant) => storeBytes(world.store, place, mutant);
    });

    it('are refused', async () => {
      await checkAll(viaNamespace.stored, bytes, objectEdges(bytes), async (mutant, release) => {
        await store(mutant);
        for await (const part of await acme.get('name')) release(part);
      });
    });

    it('give true bytes to a range that ends before their last chunk, or none', async () => {
      const truth = value.subarray(100, 16_000);
      let opened = 0;
      for (const mutation of take(viaNamespace.stored, mutations(bytes, new Rng(seed), objectEdges(bytes)))) {
        await store(mutation.bytes);
        const { released, failure } = await opening(async (release) => {
          for await (const part of await acme.get('name', { range: { start: 100, end: 16_000 } }))
            release(part);
        });
        if (failure !== undefined) check({ released, failure }, truth, mutation.what);
        else expect(same(released, truth), mutation.what).toBe(true);
        opened += failure === undefined ? 1 : 0;
      }
      expect(opened).toBeGreaterThan(0);
    });
  });
});
