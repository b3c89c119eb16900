/*
 * The contract of the KeyProvider port, as checks. Run each case with any test runner:
 *
 *   for (const { name, run } of keyProviderCases(make)) test(name, run);
 */
import assert from 'node:assert/strict';
import { KeyboundError, type ErrorCode } from '../errors.js';
import { type KeyProvider } from '../keys/provider.js';
import { type ConformanceCase } from './case.js';
import { assertIs, context, otherBlobs, otherContexts, refused, secretOf } from './key-provider-checks.js';

/** A provider with keys that nobody else uses. Made anew for each case. */
export interface KeyProviderSubject {
  readonly provider: KeyProvider;
  /** Canonical URI of an enabled key. */
  readonly key: string;
  /** Canonical URI of another enabled key. */
  readonly otherKey: string;
  /** Canonical URI of a key that never existed. */
  readonly missingKey: string;
  /** Puts a key into a state, as its owner would, and resolves once that holds. Absent: states are not checked. */
  readonly setState?: (uri: string, state: 'enabled' | 'disabled' | 'destroyed') => Promise<void>;
  /** What a destroyed key is to this KMS. @default 'key-destroyed' */
  readonly destroyedCode?: 'key-destroyed' | 'key-not-found';
  /** Texts that are no canonical URI of this provider, in addition to those that are none of any. */
  readonly malformed: readonly string[];
}

const maxBlobLength = 6144;

type Check = (subject: KeyProviderSubject) => void | Promise<void>;

const calls: Record<
  'wrap' | 'unwrap' | 'describe',
  (provider: KeyProvider, uri: string) => Promise<unknown>
> = {
  wrap: (provider, uri) => provider.wrap(uri, secretOf(), context),
  unwrap: (provider, uri) => provider.unwrap(uri, new Uint8Array(64), context),
  describe: (provider, uri) => provider.describe(uri),
};

const parsing: Record<string, Check> = {
  'parse gives the canonical URI and a location, and its own result back': ({ provider, key, otherKey }) => {
    assert.match(provider.scheme, /^[a-z][a-z0-9-]*$/);
    for (const uri of [key, otherKey]) {
      const parsed = provider.parse(uri);
      assert.equal(parsed.uri, uri);
      assert.ok(uri.startsWith(`${provider.scheme}://`));
      assert.match(parsed.location, /^[a-z]+(:[a-z0-9-]+)?$/);
      assert.deepEqual(provider.parse(parsed.uri), parsed);
    }
  },

  'refuses malformed URIs at once and everywhere': async ({ provider, key, malformed }) => {
    const never = [
      '',
      ' ',
      'x',
      `${key} `,
      ` ${key}`,
      `${key}\n`,
      `${key}\0`,
      `${key}/`,
      `${key}#x`,
      `${key}?x=1`,
    ];
    const others = [
      `${provider.scheme}://`,
      `${provider.scheme}:`,
      `other-${key}`,
      key.toUpperCase(),
      'x'.repeat(99_999),
    ];
    for (const uri of [...never, ...others, ...malformed]) {
      assert.throws(
        () => provider.parse(uri),
        (error) =>
          error instanceof KeyboundError && error.code === 'invalid-argument' && error.message.length < 1000,
        `parse accepts ${JSON.stringify(uri.slice(0, 200))}`,
      );
      for (const call of Object.values(calls)) await refused(call(provider, uri), 'invalid-argument');
    }
  },

  'parse refuses what is no string': ({ provider }) => {
    for (const value of [undefined, null, 1, {}, [], Symbol('x')]) {
      // As a caller of plain JavaScript would.
      assert.throws(() => provider.parse(value as string), { code: 'invalid-argument' });
    }
  },
};

const wrapping: Record<string, Check> = {
  'unwraps what it wrapped': async ({ provider, key }) => {
    for (const secret of [secretOf(), new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
      const blob = await provider.wrap(key, secret, context);
      assertIs(await provider.unwrap(key, blob, context), secret, 'the unwrapped secret');
    }
  },

  'wraps into 1 to 6,144 bytes that do not hold the secret': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    assertIs(blob, blob, 'the blob');
    assert.ok(blob.length >= 1 && blob.length <= maxBlobLength, `blob of ${String(blob.length)} bytes`);
    assert.equal(Buffer.from(blob).indexOf(secretOf()), -1);
  },

  'wraps the same secret into another blob each time': async ({ provider, key }) => {
    const blobs = [
      await provider.wrap(key, secretOf(), context),
      await provider.wrap(key, secretOf(), context),
    ];
    assert.equal(new Set(blobs.map((blob) => Buffer.from(blob).toString('hex'))).size, 2);
  },

  'takes the pairs of the context in any order': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    const reversed = Object.fromEntries(Object.entries(context).reverse());
    assertIs(await provider.unwrap(key, blob, reversed), secretOf(), 'the unwrapped secret');
  },

  'takes the largest context': async ({ provider, key }) => {
    const largest = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`${String(i)}${'k'.repeat(255)}`, 'é'.repeat(128)]),
    );
    const blob = await provider.wrap(key, secretOf(), largest);
    assertIs(await provider.unwrap(key, blob, largest), secretOf(), 'the unwrapped secret');
  },

  'refuses to unwrap under any other context': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    for (const other of otherContexts())
      await refused(provider.unwrap(key, blob, other), 'invalid-ciphertext');
  },

  'refuses to unwrap with another key': async ({ provider, key, otherKey }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    await refused(provider.unwrap(otherKey, blob, context), 'invalid-ciphertext');
  },

  'refuses to unwrap a blob that was altered, cut or extended': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    for (const other of otherBlobs(blob))
      await refused(provider.unwrap(key, other, context), 'invalid-ciphertext');
    assertIs(await provider.unwrap(key, blob, context), secretOf(), 'the unwrapped secret');
  },

  'neither changes nor keeps what it is given': async ({ provider, key }) => {
    // In the middle of a larger buffer: bytes around a view are none of the provider's business.
    const around = new Uint8Array(96).fill(0xa5);
    const secret = around.subarray(32, 64);
    secret.set(secretOf());
    const blob = await provider.wrap(key, secret, context);
    assert.deepEqual(secret, secretOf());
    secret.fill(0);
    const stored = Buffer.concat([Buffer.alloc(8), blob, Buffer.alloc(8)]).subarray(8, 8 + blob.length);
    assertIs(await provider.unwrap(key, stored, context), secretOf(), 'the unwrapped secret');
    assert.ok(stored.equals(blob), 'unwrap changed the blob');
    const held = Buffer.from(secretOf(2));
    await provider.wrap(key, held, context);
    assert.ok(held.equals(secretOf(2)), 'wrap changed a Buffer');
  },

  'hands out bytes that are the caller’s own': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    const kept = blob.slice();
    const first = await provider.unwrap(key, blob, context);
    assert.equal(first.length, 32);
    first.fill(0xee);
    const second = await provider.unwrap(key, blob, context);
    assertIs(second, secretOf(), 'the secret, unwrapped again');
    blob.fill(0xee);
    await provider.wrap(key, secretOf(), context);
    assertIs(await provider.unwrap(key, kept, context), secretOf(), 'the secret, unwrapped from a copy');
    assertIs(second, secretOf(), 'the secret, after other calls');
  },

  'serves fifty calls at once, each its own': async ({ provider, key, otherKey }) => {
    const trips = Array.from({ length: 50 }, async (_, i) => {
      const uri = i % 2 === 0 ? key : otherKey;
      const own = { ...context, 'keybound:namespace': `customer-${String(i)}` };
      const blob = await provider.wrap(uri, secretOf(i), own);
      assertIs(await provider.unwrap(uri, blob, own), secretOf(i), `secret ${String(i)}`);
    });
    await Promise.all(trips);
  },
};

const stating: Record<string, Check> = {
  'describes a key as parse does, and never wrongly': async ({ provider, key }) => {
    const { state, ...parsed } = await provider.describe(key);
    assert.deepEqual(parsed, provider.parse(key));
    assert.ok(state === 'enabled' || state === 'unknown', `state ${state}`);
  },

  'says key-not-found of a key that does not exist': async ({ provider, missingKey }) => {
    for (const name of ['wrap', 'unwrap'] as const) {
      const { message } = await refused(calls[name](provider, missingKey), 'key-not-found');
      assert.ok(message.includes(missingKey), 'the message names the key');
    }
    const described = provider.describe(missingKey).then(({ state }) => state);
    if ((await described.catch(() => 'refused')) !== 'unknown') await refused(described, 'key-not-found');
  },

  'says aborted when the signal has aborted, with its reason': async ({ provider, key }) => {
    const blob = await provider.wrap(key, secretOf(), context);
    const reason = new Error('enough');
    const options = { signal: AbortSignal.abort(reason) };
    for (const call of [
      () => provider.wrap(key, secretOf(), context, options),
      () => provider.unwrap(key, blob, context, options),
      () => provider.describe(key, options),
    ]) {
      assert.equal((await refused(call(), 'aborted')).cause, reason);
    }
    const { signal } = new AbortController();
    assertIs(await provider.unwrap(key, blob, context, { signal }), secretOf(), 'the unwrapped secret');
  },
};

async function assertStopped(subject: KeyProviderSubject, blob: Uint8Array, code: ErrorCode): Promise<void> {
  const { provider, key, otherKey } = subject;
  for (const call of [
    () => provider.wrap(key, secretOf(), context),
    () => provider.unwrap(key, blob, context),
  ]) {
    const { message } = await refused(call(), code);
    assert.ok(message.includes(key), 'the message names the key');
  }
  const state = await provider.describe(key).then(
    (description) => description.state,
    () => 'refused',
  );
  assert.notEqual(state, 'enabled');
  const other = await provider.wrap(otherKey, secretOf(), context);
  assertIs(await provider.unwrap(otherKey, other, context), secretOf(), 'a secret of the other key');
}

const switching: Record<string, Check> = {
  'says key-revoked of a disabled key until it is enabled': async (subject) => {
    const { provider, key, setState } = subject;
    const blob = await provider.wrap(key, secretOf(), context);
    await setState?.(key, 'disabled');
    await assertStopped(subject, blob, 'key-revoked');
    await setState?.(key, 'enabled');
    assertIs(await provider.unwrap(key, blob, context), secretOf(), 'the secret of the enabled key');
    await provider.wrap(key, secretOf(), context);
  },

  'says that a destroyed key is destroyed': async (subject) => {
    const { provider, key, setState, destroyedCode = 'key-destroyed' } = subject;
    const blob = await provider.wrap(key, secretOf(), context);
    await setState?.(key, 'destroyed');
    await assertStopped(subject, blob, destroyedCode);
  },
};

/**
 * The conformance suite of the {@link KeyProvider} port. `make` is called once for each case; what it makes needs no
 * order of cases and is left to the runner to clean up. Cases about key states pass unchecked without `setState`.
 */
export function keyProviderCases(make: () => Promise<KeyProviderSubject>): ConformanceCase[] {
  const always = Object.entries({ ...parsing, ...wrapping, ...stating });
  const withStates = Object.entries(switching);
  return [
    ...always.map(([name, check]) => ({ name, run: async () => check(await make()) })),
    ...withStates.map(([name, check]) => ({
      name,
      run: async (): Promise<void> => {
        const subject = await make();
        if (subject.setState !== undefined) await check(subject);
      },
    })),
  ];
}
