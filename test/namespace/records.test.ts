import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Keybound, type KeyboundEvent, KeyboundError, type Namespace } from '../../src/index.js';
import { maxRecordSize } from '../../src/namespace/records.js';
import { expectSame, offsetView, same } from '../support/bytes.js';
import { failureOf, refusal } from '../support/errors.js';
import { Rng } from '../support/rng.js';
import { type WatchedStore, watchedStore } from '../support/stores.js';
import { anyText } from '../support/text.js';
import { makeWorld, type World } from '../support/world.js';

const iban = new TextEncoder().encode('DE02 1203 0000 0000 2020 51');

let world: World;
let store: WatchedStore;
let keybound: Keybound;
let acme: Namespace;
let events: KeyboundEvent[];

beforeEach(async () => {
  store = watchedStore();
  world = await makeWorld({ regions: ['eu'], store: () => store });
  ({ keybound, events } = world);
  acme = await keybound.create('acme', { key: 'local://acme' });
});
afterEach(() => vi.useRealTimers());

/** Expects a failure that tells the caller nothing, and the operator which check it was. */
async function expectIntegrityFailure(check: RegExp | string, work: () => unknown): Promise<void> {
  const told = events.length;
  const error = await refusal('integrity-failure', work);
  expect(error.cause).toBeUndefined();
  expect(error.retryable).toBe(false);
  const reported = events.slice(told).filter(({ type }) => type === 'integrity-failure');
  expect(reported).toEqual([
    {
      type: 'integrity-failure',
      namespace: error.details['namespace'],
      region: 'eu',
      kind: 'record',
      name: error.details['name'],
      check: expect.stringMatching(check) as string,
    },
  ]);
}

describe('a record', () => {
  it.each([0, 1, 27, 16_383])('of %i bytes comes back, and is exactly 80 bytes longer', async (size) => {
    const value = new Rng(size).bytes(size);
    const record = await acme.encryptRecord('name', value);
    expect(record).toHaveLength(size + 80);
    expectSame(await acme.decryptRecord('name', record), value);
  });

  it('is 16 bytes longer for each full chunk of 16 KiB', async () => {
    for (const [size, chunks] of [
      [16_384, 1],
      [16_385, 1],
      [3 * 16_384, 3],
      [1_000_000, 61],
    ] as const) {
      const value = new Rng(size).bytes(size);
      const record = await acme.encryptRecord('name', value);
      expect(record).toHaveLength(size + 80 + chunks * 16);
      expectSame(await acme.decryptRecord('name', record), value);
    }
  });

  it('comes back whatever its name, context and value', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyText(40).filter((name) => name !== ''),
        fc.uint8Array({ maxLength: 200 }),
        fc.dictionary(anyText(10), anyText(10), { maxKeys: 5 }),
        async (name, value, context) => {
          const record = await acme.encryptRecord(name, value, { context });
          expectSame(await acme.decryptRecord(name, record, { context }), value);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is taken from and given back in any array of bytes', async () => {
    for (const value of [Buffer.from(iban), offsetView(iban)]) {
      const record = await acme.encryptRecord('name', value);
      for (const given of [Buffer.from(record), offsetView(record)]) {
        const opened = await acme.decryptRecord('name', given);
        expect(opened.constructor).toBe(Uint8Array);
        expectSame(opened, iban);
      }
    }
  });

  it('leaves what it is given unchanged, and gives an array of the caller’s own', async () => {
    const value = iban.slice();
    const record = await acme.encryptRecord('name', value);
    expectSame(value, iban);
    const opened = await acme.decryptRecord('name', record);
    opened.fill(0);
    expectSame(await acme.decryptRecord('name', record), iban);
    expect(opened.buffer.byteLength).toBe(iban.length);
  });

  it('is other bytes each time, and never those of the value', async () => {
    const records = await Promise.all(Array.from({ length: 50 }, () => acme.encryptRecord('name', iban)));
    expect(new Set(records.map((one) => Buffer.from(one).toString('hex'))).size).toBe(50);
    expect(records.some((one) => Buffer.from(one).includes('DE02'))).toBe(false);
  });

  it.each<unknown>(['text', 7, null, [1, 2], Uint16Array.of(1)])(
    'of what is no Uint8Array is refused: %j',
    async (value) => {
      await refusal('invalid-argument', () => acme.encryptRecord('name', value as Uint8Array));
      await refusal('invalid-argument', () => acme.decryptRecord('name', value as Uint8Array));
    },
  );

  it('of more than 64 MiB is refused', async () => {
    await refusal('too-large', () => acme.encryptRecord('name', new Uint8Array(maxRecordSize + 1)));
  });

  it('opens in another process', async () => {
    const record = await acme.encryptRecord('name', iban);
    expectSame(await (await world.another().open('acme')).decryptRecord('name', record), iban);
  });

  it('opens after rotations, as do those made since', async () => {
    const records = [await acme.encryptRecord('name', iban)];
    for (let i = 0; i < 3; i++) {
      await acme.rotate();
      records.push(await acme.encryptRecord('name', iban));
    }
    expect(records.map((record) => record[7])).toEqual([1, 2, 3, 4]);
    keybound.purge();
    for (const record of records) expectSame(await acme.decryptRecord('name', record), iban);
  });

  it('made by a process that rotated opens in one whose binding is older', async () => {
    const other = await world.another().open('acme');
    const clock = vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() });
    await acme.encryptRecord('name', iban);
    await other.rotate();
    const record = await other.encryptRecord('name', iban);
    clock.advanceTimersByTime(1500);
    expectSame(await acme.decryptRecord('name', record), iban);
  });
});

describe('a record that is opened as another', () => {
  const context = { customer: '42', field: 'iban' };
  let record: Uint8Array;
  beforeEach(async () => {
    record = await acme.encryptRecord('name', iban, { context });
  });

  it.each([
    ['name', 'Name', context],
    ['name with a byte more', 'name ', context],
    ['name in another normal form', 'nam\u0065\u0301', context],
    ['context without a pair', 'name', { customer: '42' }],
    ['context with a pair more', 'name', { ...context, more: '' }],
    ['context with another value', 'name', { ...context, customer: '43' }],
    ['context with another key', 'name', { client: '42', field: 'iban' }],
    ['context with the parts moved', 'name', { customer4: '2', field: 'iban' }],
    ['no context', 'name', {}],
  ])('is refused for its %s', async (_, name, other) => {
    await expectIntegrityFailure('commitment', () => acme.decryptRecord(name, record, { context: other }));
  });

  it('is refused in another namespace, under the same key too', async () => {
    const globex = await keybound.create('globex', { key: 'local://acme' });
    await expectIntegrityFailure('commitment', () => globex.decryptRecord('name', record, { context }));
  });

  it('is refused in a namespace of the same name in another registry, with the same keys', async () => {
    const elsewhere = await makeWorld();
    const twin = await elsewhere.keybound.create('acme', { key: 'local://acme' });
    const { cause } = await refusal('integrity-failure', () =>
      twin.decryptRecord('name', record, { context }),
    );
    expect(cause).toBeUndefined();
  });

  it('is refused in a namespace of the same name in another region', async () => {
    const { keybound: both } = await makeWorld({ regions: ['eu', 'us'] });
    const [eu, us] = [
      await both.create('acme', { key: 'local://acme', region: 'eu' }),
      await both.create('acme', { key: 'local://acme', region: 'us' }),
    ];
    const made = await eu.encryptRecord('name', iban);
    await refusal('integrity-failure', () => us.decryptRecord('name', made));
    expectSame(await eu.decryptRecord('name', made), iban);
  });

  it('is refused under the number of another generation', async () => {
    await acme.rotate();
    const renumbered = record.slice();
    renumbered[7] = 2;
    await expectIntegrityFailure('commitment', () => acme.decryptRecord('name', renumbered, { context }));
  });

  it('looks the same to its caller, whatever failed', async () => {
    const altered = record.slice();
    altered[altered.length - 1] = (altered[altered.length - 1] ?? 0) ^ 1;
    const unknown = record.slice();
    unknown[4] = 9;
    const failures = await Promise.all([
      failureOf(() => acme.decryptRecord('name', altered, { context })),
      failureOf(() => acme.decryptRecord('name', unknown, { context })),
      failureOf(() => acme.decryptRecord('name', record)),
      failureOf(() => acme.decryptRecord('name', record.slice(0, 50), { context })),
    ]);
    const seen = failures.map((error) => {
      expect(error).toBeInstanceOf(KeyboundError);
      const { code, message, details, retryable, cause } = error as KeyboundError;
      return JSON.stringify({ code, message, details, retryable, cause });
    });
    expect(new Set(seen).size).toBe(1);
    const checks = events.flatMap((event) => (event.type === 'integrity-failure' ? [event.check] : []));
    expect(new Set(checks)).toEqual(
      new Set(['chunk 0', 'unknown generation', 'commitment', 'body header cut short']),
    );
  });
});

describe('what is no record', () => {
  it('is refused as not-ciphertext, whatever its length', async () => {
    for (let length = 0; length < 200; length++) {
      await refusal('not-ciphertext', () => acme.decryptRecord('name', new Rng(length).bytes(length)));
    }
    await refusal('not-ciphertext', () => acme.decryptRecord('name', iban));
    await refusal('not-ciphertext', () => acme.decryptRecord('name', new Rng(1).bytes(100_000)));
  });

  it('is refused if it only begins like one, whatever its length', async () => {
    for (let length = 0; length < 200; length++) {
      const bytes = new Rng(length).bytes(4 + length);
      bytes.set([0x4b, 0x42, 0x44, 1]);
      await expectIntegrityFailure(/cut short|generation/, () => acme.decryptRecord('name', bytes));
      bytes.set([0, 0, 0, 1].slice(0, length), 4);
      await expectIntegrityFailure(/./, () => acme.decryptRecord('name', bytes));
    }
  });

  it('is refused as unsupported-form if it is an object, or of a form to come', async () => {
    const object = await (await acme.encryptStream('name', iban)).bytes();
    await refusal('unsupported-form', () => acme.decryptRecord('name', object));
    for (const form of [0, 3, 4, 255]) {
      const bytes = Uint8Array.from(object);
      bytes[3] = form;
      await refusal('unsupported-form', () => acme.decryptRecord('name', bytes));
    }
  });

  it('is refused as unsupported-form if it is a record given for an object', async () => {
    const record = await acme.encryptRecord('name', iban);
    await refusal('unsupported-form', () => acme.decryptStream('name', record));
    await refusal('not-ciphertext', () => acme.decryptStream('name', iban));
  });

  it('is not turned into the other form by its form byte', async () => {
    const record = await acme.encryptRecord('name', iban);
    const disguised = record.slice();
    disguised[3] = 2;
    await refusal('integrity-failure', async () => (await acme.decryptStream('name', disguised)).bytes());
    const object = await (await acme.encryptStream('name', iban)).bytes();
    object[3] = 1;
    await expectIntegrityFailure('commitment', () => acme.decryptRecord('name', object));
  });
});

describe('records of generations that do not exist', () => {
  const bad = (generation: number): Uint8Array => {
    const bytes = new Rng(generation).bytes(120);
    bytes.set([0x4b, 0x42, 0x44, 1, 0, 0, generation >> 8, generation & 0xff]);
    return bytes;
  };
  const refused = (generation: number): Promise<unknown> =>
    refusal('integrity-failure', () => acme.decryptRecord('name', bad(generation)));

  it('are refused at once if they are far ahead', async () => {
    await acme.encryptRecord('name', iban);
    const { calls } = store;
    for (let i = 0; i < 100; i++) await refused(18 + i);
    await refused(0);
    expect(store.calls).toBe(calls);
  });

  it('make this process look for a rotation once a second at most, and disturb nobody', async () => {
    const record = await acme.encryptRecord('name', iban);
    const { calls } = store;
    const kms = world.events.filter((event) => event.type === 'kms').length;
    let done = 0;
    const others = Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        await refused(2 + (i % 16));
        done++;
      }),
    );
    expectSame(await acme.decryptRecord('name', record), iban);
    expect(done).toBe(0);
    await others;
    expect(store.calls - calls).toBeLessThan(10);
    expect(world.events.filter((event) => event.type === 'kms')).toHaveLength(kms);
  });

  it('are opened if another process did rotate, even within this lease’s first second', async () => {
    await acme.encryptRecord('name', iban);
    const other = await world.another().open('acme');
    await other.rotate();
    const record = await other.encryptRecord('name', iban);
    expectSame(await acme.decryptRecord('name', record), iban);
  });
});

describe('a namespace', () => {
  it('that is suspended opens and makes no records until it is resumed', async () => {
    const record = await acme.encryptRecord('name', iban);
    await acme.suspend();
    await refusal('namespace-suspended', () => acme.encryptRecord('name', iban));
    await refusal('namespace-suspended', () => acme.decryptRecord('name', record));
    await acme.resume();
    expectSame(await acme.decryptRecord('name', record), iban);
  });

  it('whose key says no opens none once its lease has ended, and again when it says yes', async () => {
    const record = await acme.encryptRecord('name', iban);
    for (const [to, code] of [
      ['key-revoked', 'key-revoked'],
      ['access-denied', 'access-denied'],
      // A denial lasts until the key unwraps again: an outage after it opens nothing and hides nothing.
      ['unavailable', 'access-denied'],
    ] as const) {
      world.keys.turn('local://acme', to);
      keybound.purge();
      await refusal(code, () => acme.decryptRecord('name', record));
      await refusal(code, () => acme.encryptRecord('name', iban));
    }
    world.keys.turn('local://acme', 'on');
    expectSame(await acme.decryptRecord('name', record), iban);
  });

  it('whose KMS hangs ends as aborted at once when asked to, and goes on for others', async () => {
    const record = await acme.encryptRecord('name', iban);
    keybound.purge();
    world.keys.turn('local://acme', 'hung');
    const patient = acme.decryptRecord('name', record);
    const controller = new AbortController();
    const hasty = acme.decryptRecord('name', record, { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort();
    await refusal('aborted', () => hasty);
    world.keys.turn('local://acme', 'on');
    expect(same(await patient, iban)).toBe(true);
  });
});
