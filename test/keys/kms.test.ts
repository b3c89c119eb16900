import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeEngine as engine } from '../../src/crypto/node.js';
import { type KeyboundEvent } from '../../src/events.js';
import { Kms, type SecretUse } from '../../src/keys/kms.js';
import {
  allOf,
  anyOf,
  type KeyPolicy,
  KeyProviders,
  normalisePolicy,
  serviceKey,
} from '../../src/keys/policy.js';
import { type WrappedAlternative } from '../../src/format/wrap-object.js';
import { codeOf } from '../lifecycle/support.js';
import { type SwitchableKeys, switchableKeys } from '../support/switchable-keys.js';

const [a, b, c, d] = ['local://acme', 'local://globex', 'local://vendor', 'local://spare'] as const;
const secret = new Uint8Array(32).fill(42);
const use: SecretUse = {
  subject: { namespace: 'acme', region: 'eu' },
  purpose: 'namespace-key',
  kmsContext: { 'keybound:namespace': 'acme' },
  sealContext: new Uint8Array(4),
  keyLocations: ['local'],
};

let keys: SwitchableKeys;
let providers: KeyProviders;
let kms: Kms;
let events: KeyboundEvent[];
beforeEach(() => {
  keys = switchableKeys('acme', 'globex', 'vendor', 'spare');
  providers = new KeyProviders([keys]);
  events = [];
  kms = new Kms(engine, providers, (event) => events.push(event));
});

const policyOf = (policy: KeyPolicy) => normalisePolicy(engine, policy, providers, true);
const wrapUnder = (policy: KeyPolicy): Promise<WrappedAlternative[]> =>
  kms.wrap(policyOf(policy), secret, use);
const unwrapUnder = async (policy: KeyPolicy, wrapped: WrappedAlternative[]): Promise<unknown> => {
  const outcome = await codeOf(kms.unwrap(policyOf(policy), wrapped, use));
  return typeof outcome === 'object' && outcome !== null && 'resolved' in outcome ? 'open' : outcome;
};

describe('a key policy, normalised', () => {
  const uris = (policy: KeyPolicy): string[] =>
    policyOf(policy).alternatives.map((keysOf) =>
      keysOf
        .map((key) => key.uri.slice(8))
        .sort()
        .join('+'),
    );

  it('is any-of over all-ofs, in the order of preference', () => {
    expect(uris(a)).toEqual(['acme']);
    expect(uris(anyOf(b, a))).toEqual(['globex', 'acme']);
    expect(uris(allOf(a, anyOf(b, c)))).toEqual(['acme+globex', 'acme+vendor']);
    expect(uris(allOf(anyOf(a, b), anyOf(c, d)))).toEqual([
      'acme+vendor',
      'acme+spare',
      'globex+vendor',
      'globex+spare',
    ]);
  });

  it('absorbs supersets and repetitions', () => {
    expect(uris(anyOf(a, allOf(a, b)))).toEqual(['acme']);
    expect(uris(anyOf(allOf(a, b), a))).toEqual(['acme']);
    expect(uris(anyOf(a, a, allOf(a, a)))).toEqual(['acme']);
    expect(uris(anyOf(allOf(a, b), allOf(b, a)))).toEqual(['acme+globex']);
  });

  it('is bounded, also while it is being expanded', () => {
    const pairs = Array.from({ length: 30 }, (_, i) =>
      anyOf(`local://x${String(i)}`, `local://y${String(i)}`),
    );
    const names = (count: number) => Array.from({ length: count }, (_, i) => `local://n${String(i)}`);
    const wide = anyOf(...names(32));
    for (const policy of [
      allOf(...pairs),
      anyOf(...names(9)),
      allOf(...names(5)),
      anyOf(...names(30).map(() => wide)),
    ]) {
      expect(() => policyOf(policy)).toThrow(/at most 8 alternatives of at most 4 keys/);
    }
    let deep: KeyPolicy = a;
    for (let i = 0; i < 100; i++) deep = anyOf(deep);
    expect(() => policyOf(deep)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('knows whose switch it is', () => {
    const held = (policy: KeyPolicy) => normalisePolicy(engine, policy, providers, false);
    expect(held(allOf(a, serviceKey(c))).ownerCannotRevoke).toBe(false);
    expect(() => held(anyOf(a, serviceKey(c)))).toThrow(
      /the owner could not revoke access: local:\/\/vendor alone/,
    );
    expect(() => held(serviceKey(c))).toThrow(expect.objectContaining({ code: 'owner-cannot-revoke' }));
    for (const mixed of [
      allOf(a, serviceKey(a)),
      anyOf(a, serviceKey(a)),
      anyOf(allOf(a, b), allOf(serviceKey(a), c)),
    ]) {
      expect(() => policyOf(mixed)).toThrow(/either/);
    }
  });

  it('refuses two providers for one scheme', () => {
    expect(() => new KeyProviders([keys, switchableKeys('acme', 'globex', 'vendor', 'spare')])).toThrow(
      /one key provider for each scheme/,
    );
  });
});

describe('a secret under a policy', () => {
  it('is opened by every sufficient set of keys and by no other', async () => {
    const policies = [
      a,
      anyOf(a, b),
      allOf(a, b),
      anyOf(allOf(a, b), c),
      allOf(a, anyOf(b, c)),
      anyOf(allOf(a, b), allOf(c, d)),
    ];
    for (const policy of policies) {
      const wrapped = await wrapUnder(policy);
      for (let set = 0; set < 16; set++) {
        const there = [a, b, c, d].filter((_, i) => (set & (1 << i)) !== 0);
        for (const uri of [a, b, c, d]) keys.turn(uri, there.includes(uri) ? 'on' : 'unavailable');
        const enough = policyOf(policy).alternatives.some((one) =>
          one.every((key) => (there as string[]).includes(key.uri)),
        );
        expect(await unwrapUnder(policy, wrapped)).toBe(enough ? 'open' : 'unavailable');
      }
    }
  });

  it('under all-of, no proper subset of the unwrapped secrets says anything: the seal does not open', async () => {
    const [alternative] = await wrapUnder(allOf(a, b));
    const swapped = [{ ...alternative, wraps: [alternative?.wraps[0], alternative?.wraps[0]] }];
    expect(await unwrapUnder(allOf(a, b), swapped as WrappedAlternative[])).toBe('wrap-invalid');
  });

  it('a denial is final, an outage moves on to the next alternative', async () => {
    const policy = anyOf(a, b);
    const wrapped = await wrapUnder(policy);
    for (const code of ['unavailable', 'throttled'] as const) {
      keys.turn(a, code);
      expect(await unwrapUnder(policy, wrapped)).toBe('open');
    }
    for (const code of [
      'key-revoked',
      'access-denied',
      'key-destroyed',
      'key-not-found',
      'invalid-ciphertext',
      'misconfigured',
    ] as const) {
      keys.turn(a, code);
      expect(await unwrapUnder(policy, wrapped)).toBe(code);
      keys.turn(a, 'on');
      await unwrapUnder(policy, wrapped);
    }
  });

  it('a denial lasts through an outage, until that key unwraps again', async () => {
    const policy = anyOf(a, b);
    const wrapped = await wrapUnder(policy);
    keys.turn(a, 'key-revoked');
    await unwrapUnder(policy, wrapped);
    keys.turn(a, 'unavailable');
    expect(await unwrapUnder(policy, wrapped)).toBe('key-revoked');
    keys.turn(a, 'on');
    expect(await unwrapUnder(policy, wrapped)).toBe('open');
    keys.turn(a, 'unavailable');
    expect(await unwrapUnder(policy, wrapped)).toBe('open');
  });

  it('in an all-of, one denial outweighs an outage of another', async () => {
    const policy = allOf(a, b);
    const wrapped = await wrapUnder(policy);
    keys.turn(a, 'unavailable');
    keys.turn(b, 'access-denied');
    expect(await unwrapUnder(policy, wrapped)).toBe('access-denied');
  });

  it('a denial outweighs whatever else other members say', async () => {
    const policy = allOf(a, b);
    const wrapped = await wrapUnder(policy);
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      keys.turn(one, 'misconfigured');
      keys.turn(other, 'access-denied');
      expect(await unwrapUnder(policy, wrapped)).toBe('access-denied');
    }
  });

  it('an answer nobody understands does not move on to the next alternative', async () => {
    const policy = anyOf(a, b);
    const wrapped = await wrapUnder(policy);
    const { unwrap } = keys;
    keys.unwrap = (uri, ...rest) =>
      uri === a ? Promise.reject(new Error('KeyQuarantinedException')) : unwrap(uri, ...rest);
    expect(await unwrapUnder(policy, wrapped)).toBe('unavailable');
  });

  it('a denial is not cleared by the answer to an older question', async () => {
    const policy = anyOf(a, b);
    const wrapped = await wrapUnder(policy);
    const { unwrap } = keys;
    let answer: () => void = () => undefined;
    keys.unwrap = async (...args) => {
      const secret = await unwrap(...args);
      await new Promise<void>((resolve) => (answer = resolve));
      return secret;
    };
    const slow = kms.unwrap(policyOf(policy), wrapped, use);
    await new Promise((resolve) => setImmediate(resolve));
    keys.unwrap = unwrap;
    keys.turn(a, 'key-revoked');
    expect(await unwrapUnder(policy, wrapped)).toBe('key-revoked');
    answer();
    await slow;
    keys.turn(a, 'unavailable');
    expect(await unwrapUnder(policy, wrapped)).toBe('key-revoked');
  });

  it('is refused, retryably, when a provider gives something that is not bytes', async () => {
    const wrapped = await wrapUnder(a);
    for (const reply of [undefined, 'x', new ArrayBuffer(32)]) {
      keys.unwrap = () => Promise.resolve(reply as unknown as Uint8Array);
      expect(await unwrapUnder(a, wrapped)).toBe('unavailable');
    }
    expect(events.at(-1)).toMatchObject({ operation: 'unwrap', code: 'unavailable' });
  });

  it('is refused when the wraps are not those of the policy', async () => {
    const wrapped = await wrapUnder(anyOf(a, b));
    for (const policy of [a, allOf(a, b), anyOf(a, c), anyOf(a, b, c)]) {
      expect(await unwrapUnder(policy, wrapped)).toBe('wrap-invalid');
    }
    expect(keys.calls.filter((call) => call.startsWith('unwrap'))).toEqual([]);
  });

  it('is refused when a KMS answers with something that is not 32 bytes', async () => {
    const wrapped = await wrapUnder(a);
    keys.turn(a, 'garbage');
    await expect(kms.unwrap(policyOf(a), wrapped, use)).rejects.toThrow(/31 bytes instead of 32/);
  });

  it('is bound to its context: another namespace’s does not open it', async () => {
    const wrapped = await wrapUnder(a);
    for (const change of [
      { kmsContext: { 'keybound:namespace': 'globex' } },
      { sealContext: new Uint8Array(5) },
    ]) {
      const code = await codeOf(kms.unwrap(policyOf(a), wrapped, { ...use, ...change }));
      expect(['invalid-ciphertext', 'wrap-invalid']).toContain(code);
    }
  });

  it('reports every call, and what became of it, and never a key', async () => {
    const wrapped = await wrapUnder(a);
    keys.turn(a, 'throttled');
    await unwrapUnder(a, wrapped);
    expect(events).toMatchObject([
      { type: 'kms', operation: 'wrap', uri: a, namespace: 'acme' },
      { type: 'kms', operation: 'unwrap', uri: a, code: 'throttled' },
    ]);
  });

  it('fails closed, retryably, when a provider throws what it does not document', async () => {
    const odd = Object.assign(switchableKeys('acme', 'globex', 'vendor', 'spare'), {
      unwrap: () => Promise.reject(new TypeError('socket')),
    });
    const other = new Kms(engine, new KeyProviders([odd]), () => undefined);
    const wrapped = await other.wrap(policyOf(a), secret, use);
    await expect(other.unwrap(policyOf(a), wrapped, use)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
      details: { reason: 'unknown', namespace: 'acme', key: a },
    });
  });

  it('opens whatever the order of alternatives and keys (property)', async () => {
    const uri = fc.constantFrom(a, b, c, d);
    const policies = fc.array(fc.array(uri, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(policies, async (lists) => {
        const policy = anyOf(...lists.map((list) => allOf(...list)));
        const reversed = anyOf(...lists.toReversed().map((list) => allOf(...list.toReversed())));
        const wrapped = await wrapUnder(policy);
        expect(await unwrapUnder(policy, wrapped)).toBe('open');
        expect(await unwrapUnder(reversed, wrapped)).toBe('open');
      }),
      { numRuns: 100 },
    );
  });
});
