import { beforeAll, describe, expect, it } from 'vitest';
import { needsContinuity } from '../../src/binding/rules.js';
import { type BindingPayload } from '../../src/format/binding-payload.js';
import { after, firstPayload, id, type NamedSigner, rotated, signer } from './forge.js';

let gen1: NamedSigner;
let gen2: NamedSigner;
let gen3: NamedSigner;
let base: BindingPayload;

beforeAll(async () => {
  [gen1, gen2, gen3] = (await Promise.all([11, 12, 13].map(signer))) as [
    NamedSigner,
    NamedSigner,
    NamedSigner,
  ];
  base = { ...rotated(firstPayload(gen1), gen2), outageGraceMs: 60_000 };
});

describe('the root alone suffices', () => {
  const cases: [string, () => Partial<BindingPayload>][] = [
    ['for nothing at all', () => ({})],
    ['to suspend', () => ({ status: 'suspended' })],
    ['to shred, all generations removed', () => ({ status: 'shredded', generations: [] })],
    ['to drop a decrypt-only generation', () => ({ generations: base.generations.slice(1) })],
    ['for a shorter lease', () => ({ leaseMs: 1000 })],
    ['for a shorter grace', () => ({ outageGraceMs: 0 })],
  ];
  it.each(cases)('%s', (_, change) => {
    expect(needsContinuity(base, after(base, change()))).toBe(false);
  });
});

describe('the generation before must sign too', () => {
  const cases: [string, () => Partial<BindingPayload>][] = [
    ['for a longer lease', () => ({ leaseMs: 30_001 })],
    ['for a longer grace', () => ({ outageGraceMs: 60_001 })],
    ['for another owner', () => ({ owner: 'Mallory' })],
    ['for another parent', () => ({ parent: 'other' })],
    ['for an approver', () => ({ approvers: [gen3.publicKey] })],
    ['for another data class', () => ({ dataClass: 'public' })],
    [
      'for another key policy',
      () => ({
        policies: [
          {
            status: 'current',
            alternatives: [[{ uri: 'local://mallory', by: 'owner' }]],
            ownerCannotRevoke: false,
          },
        ],
      }),
    ],
    [
      'for a policy that takes the switch away',
      () => ({ policies: base.policies.map((one) => ({ ...one, ownerCannotRevoke: true })) }),
    ],
    ['for a new generation', () => rotated(base, gen3)],
    [
      'for new wraps',
      () => ({ generations: base.generations.map((one) => ({ ...one, wrap: one.wrap.replace(/^./, 'z') })) }),
    ],
    ['to move', () => ({ status: 'moved', movedTo: { region: 'us', instance: id(1) } })],
    ['to suspend and change something else', () => ({ status: 'suspended', owner: 'Mallory' })],
  ];
  it.each(cases)('%s', (_, change) => {
    expect(needsContinuity(base, after(base, change()))).toBe(true);
  });

  it('to resume', () => {
    const suspended = after(base, { status: 'suspended' });
    expect(needsContinuity(suspended, after(suspended, { status: 'active' }))).toBe(true);
  });
});

describe('no signature allows', () => {
  const cases: [string, () => Partial<BindingPayload>][] = [
    ['another registry', () => ({ registry: id(1) })],
    ['another namespace', () => ({ namespace: 'globex' })],
    ['another instance', () => ({ instance: id(1) })],
    ['another region', () => ({ region: 'us' })],
    ['another key mode', () => ({ keyMode: 'direct' })],
    ['another time of creation', () => ({ createdAt: '2020-01-01T00:00:00.000Z' })],
    [
      'another origin',
      () => ({ movedFrom: { region: 'us', instance: id(1), payload: base.previous ?? '' } }),
    ],
    ['an epoch left out', () => ({ epoch: base.epoch + 2 })],
    [
      'a listed public key changed',
      () => ({ generations: base.generations.map((one) => ({ ...one, continuity: gen3.publicKey })) }),
    ],
    ['the active generation dropped', () => ({ generations: rotated(base, gen3).generations.slice(2) })],
    [
      'an old generation made active again',
      () => ({
        generations: base.generations.slice(0, 1).map((one) => ({ ...one, status: 'active' as const })),
      }),
    ],
    [
      'a generation number left out',
      () => ({
        generations: rotated(base, gen3).generations.map((one) =>
          one.number === 3 ? { ...one, number: 4 } : one,
        ),
      }),
    ],
    [
      'a dropped generation brought back',
      () => {
        const short = { ...base, generations: base.generations.slice(1) };
        base = short;
        return { generations: [...rotated(firstPayload(gen1), gen2).generations] };
      },
    ],
  ];
  it.each(cases)('%s', (_, change) => {
    const kept = base;
    try {
      const changed = change();
      expect(() => needsContinuity(base, after(base, changed))).toThrow(
        expect.objectContaining({ code: 'binding-invalid' }),
      );
    } finally {
      base = kept;
    }
  });

  it.each(['moved', 'shredded'] as const)('anything after %s but the same, signed again', (status) => {
    const final = after(base, {
      status,
      ...(status === 'moved' ? { movedTo: { region: 'us', instance: id(1) } } : { generations: [] }),
    });
    expect(needsContinuity(final, after(final))).toBe(false);
    for (const change of [{ status: 'active' }, { leaseMs: 1 }, { owner: 'Globex' }] as const) {
      expect(() => needsContinuity(final, after(final, change))).toThrow(/final/);
    }
  });
});
