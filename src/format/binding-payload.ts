/*
 * The payload of one epoch of a namespace's binding: JSON with exactly these members, in any order,
 * binary as unpadded base64url.                                                                SPEC.md §9
 */
import { KeyboundError } from '../errors.js';
import { base64url, utf8 } from '../internal/bytes.js';
import { type Fail, parseExactJson, shape, type Shape } from '../internal/shape.js';
import { namespacePattern, regionPattern } from './names.js';

export const bindingFormat = 'keybound/v1/binding';

export const bindingLimits = {
  /** Of one stored epoch, in bytes. */
  size: 256 * 1024,
  generations: 512,
  policies: 64,
  alternatives: 8,
  keysPerAlternative: 4,
  leaseMs: 300_000,
  outageGraceMs: 600_000,
} as const;

/** One KMS key of a policy, and whose it is. */
export interface KeyUse {
  /** Canonical key URI. */
  readonly uri: string;
  readonly by: 'owner' | 'service';
}

/** Normalised: any of `alternatives` unlocks, each needs all of its keys; in the order of preference. */
export interface Policy {
  readonly alternatives: readonly (readonly KeyUse[])[];
  /** Said when some alternative has no key of the owner's. */
  readonly ownerCannotRevoke: boolean;
}

export interface BoundPolicy extends Policy {
  /** `current` wraps what is new; `decrypt-only` is kept for direct objects that still need it. */
  readonly status: 'current' | 'decrypt-only';
}

export interface Generation {
  readonly number: number;
  readonly status: 'active' | 'decrypt-only';
  /** Ed25519 public key whose seed is X(NK, "continuity", …), base64url of 32 bytes. */
  readonly continuity: string;
  /** SHA-512 of the stored wrap object, base64url of 64 bytes. */
  readonly wrap: string;
}

/** Where a namespace moved to, or came from. */
export interface MovedTo {
  readonly region: string;
  readonly instance: string;
}
export interface MovedFrom extends MovedTo {
  /** SHA-512 of the source's `moved` payload, base64url. */
  readonly payload: string;
}

export type BindingStatus = 'active' | 'suspended' | 'moved' | 'shredded';

export interface BindingPayload {
  readonly format: typeof bindingFormat;
  /** base64url of 16 bytes. */
  readonly registry: string;
  readonly namespace: string;
  /** base64url of 16 bytes. */
  readonly instance: string;
  readonly region: string;
  readonly epoch: number;
  /** SHA-512 of the previous epoch's payload, base64url; null for epoch 1. */
  readonly previous: string | null;
  readonly status: BindingStatus;
  /** Who holds the namespace, in the service's own words. */
  readonly owner: string | null;
  /** The namespace this one belongs to. */
  readonly parent: string | null;
  /** Public keys with which the owner approves operators' access, base64url of 32 bytes each. */
  readonly approvers: readonly string[];
  readonly dataClass: string | null;
  readonly keyMode: 'namespace' | 'direct';
  readonly policies: readonly BoundPolicy[];
  readonly leaseMs: number;
  readonly outageGraceMs: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly generations: readonly Generation[];
  readonly movedTo: MovedTo | null;
  readonly movedFrom: MovedFrom | null;
}

/** Base64url of exactly so many bytes. */
const binary =
  (length: number): Shape<string> =>
  (value, path, fail) => {
    const text = shape.string(value, path, fail);
    try {
      if (base64url.decode(text).length === length) return text;
    } catch {
      // Reported below, like any other wrong value.
    }
    return fail(`expected ${path} to be the base64url of ${String(length)} bytes`);
  };

const label = shape.text(/^[^\p{Cc}]{1,256}$/u, '1 to 256 characters without control characters');
const time: Shape<string> = (value, path, fail) => {
  const text = shape.string(value, path, fail);
  const moment = new Date(text);
  const exact = !Number.isNaN(moment.valueOf()) && moment.toISOString() === text;
  return exact ? text : fail(`expected ${path} to be a time such as 2026-01-31T12:00:00.000Z`);
};
const region = shape.text(regionPattern, 'a region name');
const namespace = shape.text(namespacePattern, 'a namespace id');
/** A key URI as it is stored; which of them mean something is the providers' matter. */
export const keyUriShape = shape.text(/^[a-z][a-z0-9-]{0,30}:\/\/[\x21-\x7e]{1,480}$/, 'a key URI');

const keyUse = shape.object({ uri: keyUriShape, by: shape.literal('owner', 'service') });
const moved = { region, instance: binary(16) };

const payloadShape: Shape<BindingPayload> = shape.object({
  format: shape.literal(bindingFormat),
  registry: binary(16),
  namespace,
  instance: binary(16),
  region,
  epoch: shape.integer(1, 0xffff_ffff),
  previous: shape.nullable(binary(64)),
  status: shape.literal('active', 'suspended', 'moved', 'shredded'),
  owner: shape.nullable(label),
  parent: shape.nullable(namespace),
  approvers: shape.array(binary(32), 0, 16),
  dataClass: shape.nullable(label),
  keyMode: shape.literal('namespace', 'direct'),
  policies: shape.array(
    shape.object({
      status: shape.literal('current', 'decrypt-only'),
      alternatives: shape.array(
        shape.array(keyUse, 1, bindingLimits.keysPerAlternative),
        1,
        bindingLimits.alternatives,
      ),
      ownerCannotRevoke: shape.boolean,
    }),
    1,
    bindingLimits.policies,
  ),
  leaseMs: shape.integer(0, bindingLimits.leaseMs),
  outageGraceMs: shape.integer(0, bindingLimits.outageGraceMs),
  createdAt: time,
  updatedAt: time,
  generations: shape.array(
    shape.object({
      number: shape.integer(1, 0xffff_ffff),
      status: shape.literal('active', 'decrypt-only'),
      continuity: binary(32),
      wrap: binary(64),
    }),
    0,
    bindingLimits.generations,
  ),
  movedTo: shape.nullable(shape.object(moved)),
  movedFrom: shape.nullable(shape.object({ ...moved, payload: binary(64) })),
});

/** What must hold inside one payload, whatever came before it. */
function checkWithin(payload: BindingPayload, fail: Fail): void {
  const numbers = payload.generations.map((generation) => generation.number);
  const active = payload.generations.filter((generation) => generation.status === 'active');
  const newest = payload.generations.at(-1);
  if (numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] ?? 0))) {
    fail('expected generations with rising numbers');
  }
  if (payload.status === 'shredded') {
    if (numbers.length > 0) fail('expected no generations in a shredded binding');
  } else if (active.length !== 1 || newest?.status !== 'active') {
    fail('expected exactly one active generation, the newest');
  }
  if ((payload.epoch === 1) !== (payload.previous === null)) {
    fail('expected a previous hash from epoch 2 on, and none in epoch 1');
  }
  if (
    payload.epoch === 1 &&
    payload.movedFrom === null &&
    (numbers.length !== 1 || payload.status !== 'active')
  ) {
    fail('expected epoch 1 to be active with one generation');
  }
  if (payload.epoch === 1 && (payload.status === 'moved' || payload.status === 'shredded')) {
    fail('expected epoch 1 not to be final');
  }
  if ((payload.status === 'moved') !== (payload.movedTo !== null)) {
    fail('expected a target in a moved binding, and only there');
  }
  const policies = payload.policies.map((policy) => policy.status);
  if (policies[0] !== 'current' || policies.lastIndexOf('current') !== 0) {
    fail('expected the current policy first, and only one');
  }
  if (payload.keyMode === 'namespace' && policies.length > 1) {
    fail('expected decrypt-only policies in direct namespaces only');
  }
  if (!payload.policies.every(isNormal)) fail('expected normalised key policies');
}

/**
 * Whether no key stands twice in an alternative, no alternative makes another one needless, and the owner holds the
 * switch unless it says otherwise.
 */
function isNormal({ alternatives, ownerCannotRevoke }: Policy): boolean {
  const held = alternatives.every((keys) => keys.some((key) => key.by === 'owner'));
  if (!held && !ownerCannotRevoke) return false;
  const sets = alternatives.map((keys) => new Set(keys.map((key) => key.uri)));
  return sets.every(
    (set, i) =>
      set.size === alternatives[i]?.length &&
      !sets.some((other, j) => j !== i && [...other].every((uri) => set.has(uri))),
  );
}

/** The bytes that are signed and hashed. */
export function encodeBindingPayload(payload: BindingPayload): Uint8Array {
  return utf8(JSON.stringify(payload));
}

/**
 * Reads and checks one payload on its own: its bytes are the one serialisation of its JSON, its members are exactly
 * those above. Throws `binding-invalid`.
 */
export function parseBindingPayload(bytes: Uint8Array): BindingPayload {
  const fail = (message: string): never => {
    throw new KeyboundError('binding-invalid', `a binding is malformed: ${message}`);
  };
  const payload = payloadShape(parseExactJson(bytes, fail), 'binding', fail);
  checkWithin(payload, fail);
  return payload;
}

/** The generation that new data is encrypted under. Every binding but a shredded one has it. */
export function activeGeneration(payload: BindingPayload): Generation | undefined {
  return payload.generations.find((generation) => generation.status === 'active');
}

/** The policy that wraps what is new. */
export function currentPolicy(payload: BindingPayload): BoundPolicy {
  const [current] = payload.policies;
  if (current === undefined) throw new Error('a checked binding has a current policy');
  return current;
}
