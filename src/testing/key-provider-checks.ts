/*
 * What the cases of the KeyProvider suite are made of.
 */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { KeyboundError, errorCodes, type ErrorCode } from '../errors.js';
import { type KmsContext } from '../keys/provider.js';

/** Of a longer blob not every byte is flipped, but so many, spread evenly. */
const maxFlips = 256;

/** What most cases wrap for. */
export const context: KmsContext = Object.freeze({
  'keybound:registry': '000102030405060708090a0b0c0d0e0f',
  'keybound:namespace': 'customer-1',
  'keybound:region': 'eu',
  'keybound:purpose': 'namespace-key',
});

/** 32 bytes that differ from one another, and with `seed`. */
export const secretOf = (seed = 1): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => (i * 7 + seed * 31) & 0xff);

function assertNoSecret(text: string, secret: Uint8Array): void {
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    const shown = Buffer.from(secret).toString(encoding).replace(/=+$/, '');
    assert.ok(!text.toLowerCase().includes(shown.toLowerCase()), `an error shows the secret in ${encoding}`);
  }
  assert.ok(!text.replaceAll(/\s/g, '').includes(secret.join(',')), 'an error shows the bytes of the secret');
}

/** That the call rejects with a KeyboundError of that code, whose flags are right and which tells no secret. */
export async function refused(
  call: Promise<unknown>,
  code: ErrorCode,
  secret = secretOf(),
): Promise<KeyboundError> {
  const error: unknown = await call.then(
    () => assert.fail(`expected ${code}, got a result`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeyboundError, `expected a KeyboundError, got ${inspect(error)}`);
  assert.equal(error.code, code, error.message);
  assert.equal(error.retryable, errorCodes[code].retryable);
  assertNoSecret(inspect(error, { depth: 8, showHidden: true }), secret);
  return error;
}

/** That `actual` is a plain `Uint8Array` of these bytes. */
export function assertIs(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array && !Buffer.isBuffer(actual), `${what} is a plain Uint8Array`);
  assert.ok(Buffer.from(expected).equals(actual), `${what} differs`);
}

/** Every context that differs from {@link context} in one respect. */
export function otherContexts(): KmsContext[] {
  const pairs = Object.entries(context);
  const changed = pairs.flatMap(([key, value], at) => [
    pairs.with(at, [key, `${value}x`]),
    pairs.with(at, [key, value.toUpperCase() === value ? `${value}0` : value.toUpperCase()]),
    pairs.with(at, [`${key}x`, value]),
    pairs.toSpliced(at, 1),
  ]);
  const swapped = pairs.map(([key], at): [string, string] => [key, pairs.at(at - 1)?.[1] ?? '']);
  const added: [string, string][] = [...pairs, ['keybound:identity', 'ab'.repeat(32)]];
  return [[], added, swapped, ...changed].map((list) => Object.fromEntries(list));
}

/** Every blob that differs from this one by a flipped bit in one byte, by a cut, or by something added. */
export function* otherBlobs(blob: Uint8Array): Generator<Uint8Array> {
  const flips = Math.min(blob.length, maxFlips);
  for (let i = 0; i < flips; i++) {
    const at = Math.floor((i * blob.length) / flips);
    yield blob.with(at, (blob[at] ?? 0) ^ (1 << (i % 8)));
  }
  for (const length of [0, 1, blob.length >> 1, blob.length - 1]) yield blob.slice(0, length);
  yield blob.slice(1);
  for (const extra of [Uint8Array.of(0), blob]) yield Uint8Array.from([...blob, ...extra]);
}
