import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signEpoch } from '../../src/binding/jws.js';
import { formatTrust, parseTrust } from '../../src/binding/trust.js';
import { type BindingPayload, encodeBindingPayload } from '../../src/format/binding-payload.js';
import { base64url, fromUtf8, utf8 } from '../../src/internal/bytes.js';
import {
  after,
  firstPayload,
  Forge,
  hashOf,
  id,
  type NamedSigner,
  rotated,
  signer,
  subject,
} from './forge.js';

let root: NamedSigner;
let retired: NamedSigner;
let stranger: NamedSigner;
let gen1: NamedSigner;
let gen2: NamedSigner;
let one: BindingPayload;
let two: BindingPayload;
let three: BindingPayload;
let forge: Forge;

beforeAll(async () => {
  [root, retired, stranger, gen1, gen2] = (await Promise.all([1, 2, 3, 11, 12].map(signer))) as [
    NamedSigner,
    NamedSigner,
    NamedSigner,
    NamedSigner,
    NamedSigner,
  ];
  one = firstPayload(gen1);
  two = rotated(one, gen2);
  three = after(two, { status: 'suspended' });
});

beforeEach(async () => {
  forge = new Forge({ root, status: 'active' }, { root: retired, status: 'retired' });
  await forge.add(one, root);
  await forge.add(two, root, gen1);
  await forge.add(three, root);
});

describe('a chain of bindings', () => {
  it('is read to its newest epoch, with both signatures where they are needed', async () => {
    expect(await forge.verdict()).toBe(3);
  });

  it('is absent where there is none', async () => {
    expect(await new Forge({ root, status: 'active' }).verdict()).toBeNull();
  });

  it('goes on from the epoch that was seen before', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    await forge.add(after(three, { status: 'active' }), root, gen2);
    expect(await forge.verdict({}, reader)).toBe(4);
  });

  it('accepts a retired root for earlier epochs, not for the newest', async () => {
    await forge.add(one, retired);
    expect(await forge.verdict()).toBe(3);
    await forge.add(three, retired);
    expect(await forge.verdict()).toBe('root-not-trusted');
  });

  it('reports every refusal as an event', async () => {
    await forge.add(one, stranger);
    expect(await forge.verdict()).toBe('root-not-trusted');
    expect(forge.refusals).toEqual(['root-not-trusted']);
  });
});

describe('a chain with another history', () => {
  it('refuses a fork: another epoch in the place of one seen before', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    await forge.add({ ...three, leaseMs: 10_000 }, root);
    expect(await forge.verdict({}, reader)).toBe('binding-fork');
  });

  it('refuses a fork: an epoch that follows another one', async () => {
    await forge.add({ ...one, owner: 'Someone' }, root);
    expect(await forge.verdict()).toBe('binding-fork');
  });

  it('refuses a rollback: the epoch seen before is gone', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    await forge.remove(3);
    expect(await forge.verdict({}, reader)).toBe('binding-rollback');
  });

  it('refuses a rollback: an older epoch in the place of a newer one', async () => {
    await forge.place(3, await signEpoch(encodeBindingPayload(one), [root]));
    expect(await forge.verdict()).toBe('binding-rollback');
  });

  it.each([1, 2])('refuses a gap: epoch %i is missing, later ones are there', async (epoch) => {
    await forge.remove(epoch);
    expect(await forge.verdict()).toBe('binding-gap');
  });

  it('refuses a gap: a later epoch in the place of an earlier one', async () => {
    await forge.add(after(two, { epoch: 4 }), root);
    await forge.place(3, await signEpoch(encodeBindingPayload(after(two, { epoch: 4 })), [root]));
    expect(await forge.verdict()).toBe('binding-gap');
  });

  it('refuses another instance than the one seen before, until it is named', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    for (const epoch of [2, 3]) await forge.remove(epoch);
    await forge.add({ ...one, instance: id(8) }, root);
    expect(await forge.verdict({}, reader)).toBe('instance-changed');
    expect(await forge.verdict({ instance: id(8) }, reader)).toBe(1);
    expect(await forge.verdict({ instance: id(7) }, forge.reader())).toBe('instance-changed');
  });
});

describe('a binding from elsewhere', () => {
  it.each([
    ['binding-wrong-registry', { registry: id(9) }],
    ['binding-wrong-namespace', { namespace: 'globex' }],
    ['binding-wrong-region', { region: 'us' }],
  ] as const)('is refused as %s', async (code, change) => {
    const bytes = await signEpoch(encodeBindingPayload({ ...one, ...change }), [root]);
    await forge.place(1, bytes);
    expect(await forge.verdict()).toBe(code);
  });

  it('is refused by the same name when strangers signed it', async () => {
    const bytes = await signEpoch(encodeBindingPayload({ ...one, registry: id(9) }), [stranger]);
    await forge.place(1, bytes);
    expect(await forge.verdict()).toBe('binding-wrong-registry');
  });
});

describe('signatures', () => {
  const cases: [string, () => [BindingPayload, NamedSigner[]], string][] = [
    ['a stranger instead of a root', () => [two, [stranger, gen1]], 'root-not-trusted'],
    ['no continuity where it is needed', () => [two, [root]], 'binding-invalid'],
    ['continuity by a stranger', () => [two, [root, stranger]], 'binding-invalid'],
    ['continuity by the new generation itself', () => [two, [root, gen2]], 'binding-invalid'],
    ['two roots instead', () => [two, [root, retired]], 'binding-invalid'],
    ['the root twice', () => [two, [root, root]], 'binding-invalid'],
    ['continuity alone', () => [two, [gen1]], 'root-not-trusted'],
  ];
  it.each(cases)('refuses %s', async (_, make, code) => {
    const [payload, signers] = make();
    await forge.add(payload, ...signers);
    expect(await forge.verdict()).toBe(code);
  });

  it('refuses a signature too many', async () => {
    await forge.add(three, root, gen2);
    expect(await forge.verdict()).toBe('binding-invalid');
    await forge.add(one, root, gen1);
    expect(await forge.verdict()).toBe('binding-invalid');
  });

  it('refuses continuity by an older generation', async () => {
    const resumed = after(three, { status: 'active' });
    await forge.add(resumed, root, gen1);
    expect(await forge.verdict()).toBe('binding-invalid');
    await forge.add(resumed, root, gen2);
    expect(await forge.verdict()).toBe(4);
  });

  it('refuses every single altered byte of a stored epoch', async () => {
    const bytes = await signEpoch(encodeBindingPayload(one), [root]);
    for (const epoch of [2, 3]) await forge.remove(epoch);
    const known = [
      'binding-invalid',
      'root-not-trusted',
      'binding-wrong-registry',
      'binding-wrong-namespace',
      'binding-wrong-region',
      'binding-gap',
    ];
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const altered = bytes.slice();
        altered.set([(bytes[at] ?? 0) ^ flip], at);
        await forge.place(1, altered);
        const verdict = await forge.verdict();
        expect(known).toContain(verdict);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('the envelope', () => {
  const b64 = (value: unknown): string => base64url.encode(utf8(JSON.stringify(value)));
  type Envelope = { payload: string; signatures: Record<string, unknown>[] } & Record<string, unknown>;
  const alter = async (change: (envelope: Envelope) => unknown): Promise<number | string | null> => {
    const bytes = await signEpoch(encodeBindingPayload(three), [root]);
    const changed = change(JSON.parse(fromUtf8(bytes)) as Envelope);
    await forge.place(3, typeof changed === 'string' ? utf8(changed) : utf8(JSON.stringify(changed)));
    return forge.verdict();
  };
  const withHeader = (envelope: Envelope, header: unknown): Envelope => ({
    ...envelope,
    signatures: [{ ...envelope.signatures[0], protected: b64(header) }],
  });

  it('is accepted as it is made', async () => {
    expect(await alter((envelope) => envelope)).toBe(3);
  });

  const cases: [string, (envelope: Envelope) => unknown][] = [
    ['an extra member', (envelope) => ({ ...envelope, extra: 1 })],
    ['a member named __proto__', (envelope) => JSON.stringify(envelope).replace('{', '{"__proto__":{},')],
    [
      'an unprotected header',
      (envelope) => ({ ...envelope, signatures: [{ ...envelope.signatures[0], header: {} }] }),
    ],
    [
      'three signatures',
      (envelope) => ({ ...envelope, signatures: [0, 1, 2].map(() => envelope.signatures[0]) }),
    ],
    ['no signature', (envelope) => ({ ...envelope, signatures: [] })],
    ['the flattened form', (envelope) => ({ payload: envelope.payload, ...envelope.signatures[0] })],
    ['alg none', (envelope) => withHeader(envelope, { alg: 'none', typ: 'keybound-binding', kid: root.kid })],
    [
      'alg HS256',
      (envelope) => withHeader(envelope, { alg: 'HS256', typ: 'keybound-binding', kid: root.kid }),
    ],
    ['another typ', (envelope) => withHeader(envelope, { alg: 'Ed25519', typ: 'JWT', kid: root.kid })],
    [
      'crit in the header',
      (envelope) =>
        withHeader(envelope, {
          alg: 'Ed25519',
          typ: 'keybound-binding',
          kid: root.kid,
          crit: ['b64'],
          b64: false,
        }),
    ],
    [
      'a key in the header',
      (envelope) => withHeader(envelope, { alg: 'Ed25519', typ: 'keybound-binding', kid: root.kid, jwk: {} }),
    ],
    ['padded base64url', (envelope) => ({ ...envelope, payload: `${envelope.payload}=` })],
    [
      'a member twice',
      (envelope) => JSON.stringify(envelope).replace('{', `{"payload":"${envelope.payload}",`),
    ],
    ['white space', (envelope) => JSON.stringify(envelope, null, 1)],
    [
      'a padded signature',
      (envelope) => ({
        ...envelope,
        signatures: [
          { ...envelope.signatures[0], signature: `${String(envelope.signatures[0]?.['signature'])}==` },
        ],
      }),
    ],
    ['no JSON', () => 'epoch 3'],
    ['nothing', () => ''],
    ['256 KiB and more', (envelope) => JSON.stringify(envelope) + ' '.repeat(256 * 1024)],
  ];
  it.each(cases)('is refused with %s', async (_, change) => {
    expect(await alter(change)).toBe('binding-invalid');
  });
});

describe('the payload', () => {
  const signed = async (text: string): Promise<number | string | null> => {
    await forge.place(3, await signEpoch(utf8(text), [root]));
    return forge.verdict();
  };
  const json = (change: (payload: Record<string, unknown>) => unknown): string =>
    JSON.stringify(change({ ...three }));

  const cases: [string, () => string][] = [
    ['spaces between its members', () => JSON.stringify(three, null, 1)],
    ['a member twice', () => JSON.stringify(three).replace('{', '{"owner":"Mallory",')],
    ['an unknown member', () => json((payload) => ({ ...payload, admin: true }))],
    ['a member missing', () => json((payload) => ({ ...payload, owner: undefined }))],
    ['another format', () => json((payload) => ({ ...payload, format: 'keybound/v2/binding' }))],
    ['epoch 0', () => json((payload) => ({ ...payload, epoch: 0 }))],
    ['an epoch as text', () => json((payload) => ({ ...payload, epoch: '3' }))],
    [
      'no active generation',
      () => json((payload) => ({ ...payload, generations: two.generations.slice(0, 1) })),
    ],
    [
      'two active generations',
      () =>
        json((payload) => ({
          ...payload,
          generations: two.generations.map((one) => ({ ...one, status: 'active' })),
        })),
    ],
    [
      'generations out of order',
      () => json((payload) => ({ ...payload, generations: two.generations.toReversed() })),
    ],
    ['a lease of more than five minutes', () => json((payload) => ({ ...payload, leaseMs: 300_001 }))],
    ['a grace of more than ten minutes', () => json((payload) => ({ ...payload, outageGraceMs: 600_001 }))],
    [
      'two current policies',
      () => json((payload) => ({ ...payload, policies: [...three.policies, ...three.policies] })),
    ],
    [
      'a month that does not exist',
      () => json((payload) => ({ ...payload, createdAt: '2026-13-01T00:00:00.000Z' })),
    ],
    [
      'a key policy with one key twice',
      () =>
        json((payload) => ({
          ...payload,
          policies: three.policies.map((policy) => ({
            ...policy,
            alternatives: [...policy.alternatives, ...policy.alternatives],
          })),
        })),
    ],
    [
      'a non-canonical instance',
      () => json((payload) => ({ ...payload, instance: `${three.instance.slice(0, -1)}_` })),
    ],
    ['a lone surrogate', () => JSON.stringify(three).replace('"Acme"', '"\\ud800"')],
  ];
  it.each(cases)('is refused with %s', async (_, make) => {
    expect(await signed(make())).toBe('binding-invalid');
  });

  it('is refused when it is not UTF-8', async () => {
    const bytes = encodeBindingPayload(three);
    bytes.set([0xff], 60);
    await forge.place(3, await signEpoch(bytes, [root]));
    expect(await forge.verdict()).toBe('binding-invalid');
  });
});

describe('trust', () => {
  const trustOf = (payload: BindingPayload) => ({
    instance: payload.instance,
    epoch: payload.epoch,
    payload: hashOf(payload),
  });

  it('lets a reader start at an epoch it was told of', async () => {
    await forge.remove(1);
    expect(await forge.verdict({ trust: trustOf(two) })).toBe(3);
  });

  it('keeps a fresh reader from believing an older chain', async () => {
    await forge.remove(3);
    expect(await forge.verdict()).toBe(2);
    expect(await forge.verdict({ trust: trustOf(three) })).toBe('binding-rollback');
  });

  it('keeps a fresh reader from believing a thief of the root key', async () => {
    const trust = trustOf(one);
    for (const epoch of [2, 3]) await forge.remove(epoch);
    await forge.add({ ...one, owner: 'Mallory' }, root);
    expect(await forge.verdict()).toBe(1);
    expect(await forge.verdict({ trust })).toBe('binding-fork');
  });

  it('contradicts what this process has seen: refused', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    expect(await forge.verdict({ trust: { ...trustOf(three), payload: hashOf(two) } }, reader)).toBe(
      'binding-fork',
    );
    expect(await forge.verdict({ trust: { ...trustOf(three), instance: id(9) } }, reader)).toBe(
      'instance-changed',
    );
  });

  it('is one word that reads back', () => {
    const trust = trustOf(three);
    expect(formatTrust(trust)).toMatch(/^[0-9a-f]{32}\.3\.[\w-]{86}$/);
    expect(parseTrust(formatTrust(trust))).toEqual(trust);
    for (const bad of [
      '',
      'x',
      formatTrust(trust).slice(1),
      `${formatTrust(trust)}A`,
      formatTrust(trust).replace('.3.', '.03.'),
      7,
      null,
    ]) {
      expect(() => parseTrust(bad)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });
});

describe('a namespace that moved', () => {
  const target = { namespace: 'acme', region: 'us' };
  const build = async (change: Partial<BindingPayload> = {}, ...signers: NamedSigner[]) => {
    const moved = after(two, { status: 'moved', movedTo: { region: 'us', instance: id(20) } });
    await forge.add(moved, root, gen2);
    const first: BindingPayload = {
      ...two,
      region: 'us',
      instance: id(20),
      epoch: 1,
      previous: null,
      movedFrom: { region: 'eu', instance: one.instance, payload: hashOf(moved) },
      ...change,
    };
    await forge.add(first, ...(signers.length > 0 ? signers : [root, gen2]));
    return forge
      .reader()
      .read(target)
      .then(
        (binding) => binding?.payload.epoch,
        (error: unknown) => (error as { code: string }).code,
      );
  };

  it('is believed in its new region if the old one confirms it', async () => {
    expect(await build()).toBe(1);
  });
  it('is believed too if the old one was signed again since, by another root', async () => {
    const moved = after(two, { status: 'moved', movedTo: { region: 'us', instance: id(20) } });
    expect(await build()).toBe(1);
    await forge.add(after(moved), root);
    await forge.add(after(after(moved)), root);
    expect((await forge.reader().read(target))?.payload.epoch).toBe(1);
    await forge.add(after(after(moved), { previous: hashOf(two) }), root);
    await expect(forge.reader().read(target)).rejects.toMatchObject({ code: 'binding-fork' });
  });
  it('is refused without the continuity signature of the old region', async () => {
    expect(await build({}, root)).toBe('binding-invalid');
    expect(await build({}, root, gen1)).toBe('binding-invalid');
  });
  it('is refused when it says it moved in a circle, after a bounded number of steps', async () => {
    const circle = (region: string, from: string): BindingPayload => ({
      ...one,
      region,
      movedFrom: { region: from, instance: one.instance, payload: hashOf(one) },
    });
    await forge.add(circle('eu', 'us'), root, gen1);
    await forge.add(circle('us', 'eu'), root, gen1);
    for (const epoch of [2, 3]) await forge.remove(epoch);
    expect(await forge.verdict()).toBe('binding-invalid');
  });
  it('is refused where the old region names another target or payload', async () => {
    expect(await build({ instance: id(21) })).toBe('binding-invalid');
    for (const earlier of [one, two]) {
      const movedFrom = { region: 'eu', instance: one.instance, payload: hashOf(earlier) };
      expect(await build({ movedFrom })).toBe('binding-invalid');
    }
  });
});
