/*
 * What one epoch may change of the one before, and whose signatures that takes (design §4, SPEC.md §9).
 */
import { KeyboundError } from '../errors.js';
import { activeGeneration, type BindingPayload } from '../format/binding-payload.js';

/** Members that no epoch ever changes. */
const constant = [
  'format',
  'registry',
  'namespace',
  'instance',
  'region',
  'keyMode',
  'createdAt',
  'movedFrom',
] as const satisfies readonly (keyof BindingPayload)[];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Checks the step from `previous` to `next`, hashes and signatures aside. Returns whether the previous epoch's active
 * generation must have signed too; the root alone suffices for what takes power away and adds none.
 * Throws `binding-invalid`.
 */
export function needsContinuity(previous: BindingPayload, next: BindingPayload): boolean {
  const refuse = (what: string): never => {
    throw new KeyboundError(
      'binding-invalid',
      `namespace ${previous.namespace}: epoch ${String(next.epoch)} of its binding ${what}; treat as tampering`,
      { details: { namespace: previous.namespace, region: previous.region, epoch: next.epoch } },
    );
  };
  if (next.epoch !== previous.epoch + 1) refuse('does not follow the one before');
  const final = previous.status === 'moved' || previous.status === 'shredded';
  // Signed again when a root retires, or nobody could tell any more that it ended.
  if (final && !same(unnumbered(previous), unnumbered(next))) {
    refuse(`changes a final one (${previous.status})`);
  }
  for (const member of constant) {
    if (!same(previous[member], next[member])) refuse(`changes "${member}"`);
  }
  checkGenerations(previous, next, refuse);
  return !rootSuffices(previous, next);
}

function checkGenerations(
  previous: BindingPayload,
  next: BindingPayload,
  refuse: (what: string) => never,
): void {
  if (next.status === 'shredded') return;
  const before = new Map(previous.generations.map((generation) => [generation.number, generation]));
  const active = activeGeneration(previous);
  for (const generation of next.generations) {
    const old = before.get(generation.number);
    if (old === undefined) {
      if (generation.number !== (active?.number ?? 0) + 1) refuse('opens a generation out of turn');
    } else {
      if (old.continuity !== generation.continuity) refuse('changes a public key');
      if (old.status === 'decrypt-only' && generation.status === 'active') {
        refuse('makes an old generation active again');
      }
    }
  }
  const kept = next.generations.some((generation) => generation.number === active?.number);
  if (!kept) refuse('drops the generation that was active');
}

/** What says something anew: the same in two epochs of which the later one changes nothing. */
const unnumbered = (payload: BindingPayload): BindingPayload => ({
  ...payload,
  epoch: 0,
  previous: null,
  updatedAt: '',
});

/** Whether nothing differs but what a root may do alone. */
function rootSuffices(previous: BindingPayload, next: BindingPayload): boolean {
  const status =
    next.status === previous.status ||
    (previous.status === 'active' && next.status === 'suspended') ||
    next.status === 'shredded';
  const generations =
    next.status === 'shredded'
      ? next.generations.length === 0
      : same(
          next.generations,
          previous.generations.filter(
            (old) =>
              old.status === 'active' ||
              next.generations.some((generation) => generation.number === old.number),
          ),
        );
  const shorter = next.leaseMs <= previous.leaseMs && next.outageGraceMs <= previous.outageGraceMs;
  const rest = (payload: BindingPayload): BindingPayload => ({
    ...unnumbered(payload),
    status: 'active',
    generations: [],
    leaseMs: 0,
    outageGraceMs: 0,
  });
  return status && generations && shorter && same(rest(previous), rest(next));
}
