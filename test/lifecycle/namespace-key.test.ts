import { beforeEach, describe, expect, it } from 'vitest';
import { Chains } from '../../src/binding/chain.js';
import { nodeEngine as engine } from '../../src/crypto/node.js';
import { fromHex, toHex, base64url } from '../../src/internal/bytes.js';
import { momentOf, systemClock } from '../../src/internal/clock.js';
import { Kms } from '../../src/keys/kms.js';
import { KeyProviders } from '../../src/keys/policy.js';
import { type Installation } from '../../src/lifecycle/installation.js';
import { NamespaceLease } from '../../src/lifecycle/lease.js';
import { newGeneration, unwrapGeneration } from '../../src/lifecycle/namespace-key.js';
import { piece } from '../../src/storage/bytes.js';
import { wrapPlace } from '../../src/storage/layout.js';
import { Regions } from '../../src/storage/regions.js';
import { firstPayload, hashOf, registry, signer, subject } from '../binding/forge.js';
import { switchableKeys } from '../support/switchable-keys.js';
import { codeOf } from './support.js';
import { memoryStore } from '../../src/storage/stores/memory.js';

const store = memoryStore();
const policy = { alternatives: [[{ uri: 'local://acme', by: 'owner' as const }]], ownerCannotRevoke: false };
const identity = { registry: fromHex(registry), ...subject, instance: new Uint8Array(16).fill(7) };
let installation: Installation;

beforeEach(() => {
  const providers = new KeyProviders([switchableKeys('acme', 'globex', 'vendor', 'spare')]);
  const emit = () => undefined;
  const regions = new Regions({ eu: { store, keyLocations: ['local'] } });
  installation = {
    engine,
    registry,
    regions,
    providers,
    kms: new Kms(engine, providers, emit),
    chains: new Chains({
      engine,
      registry,
      roots: new Map(),
      emit,
      regions: regions.names,
      storeOf: () => Promise.resolve(store),
    }),
    clock: systemClock,
    emit,
    signing: undefined,
  };
});

/** A binding that lists a generation, as it was made or with something else in its place. */
async function bindingOf(change: { continuity?: string; wrap?: string } = {}) {
  const { generation } = await newGeneration(installation, identity, 1, policy);
  const first = firstPayload(await signer(1));
  const payload = { ...first, generations: [{ ...generation, ...change }] };
  const trust = { instance: payload.instance, epoch: 1, payload: hashOf(payload) };
  return { payload, identity, trust, root: '0'.repeat(32) };
}

async function unwrap(binding: Awaited<ReturnType<typeof bindingOf>>): Promise<unknown> {
  const [generation] = binding.payload.generations;
  if (generation === undefined) throw new Error('it lists one');
  return codeOf(unwrapGeneration(installation, binding, generation));
}

describe('a generation’s key', () => {
  it('is believed if the binding lists its public key', async () => {
    expect(await unwrap(await bindingOf())).toHaveProperty('resolved.namespaceKey');
  });

  it('is refused if the binding lists another public key', async () => {
    const other = await signer(2);
    expect(await unwrap(await bindingOf({ continuity: other.publicKey }))).toBe('wrap-invalid');
  });

  it('is refused if valid wraps of the same policy lie in the place of its own', async () => {
    const mine = await bindingOf();
    const theirs = await bindingOf();
    const placeOf = ({ payload }: typeof mine) =>
      wrapPlace(registry, 'acme', 1, toHex(base64url.decode(payload.generations[0]?.wrap ?? '')));
    const found = await store.get(placeOf(theirs));
    for await (const part of found?.bytes ?? []) await store.put(placeOf(mine), piece(part));
    const [generation] = mine.payload.generations;
    if (generation === undefined) throw new Error('it lists one');
    await expect(unwrapGeneration(installation, mine, generation)).rejects.toThrow(
      /not those that the binding names/,
    );
    expect(await unwrap(theirs)).toHaveProperty('resolved');
  });

  it('is gone from memory when its lease ends, also if it arrives later', async () => {
    const lease = new NamespaceLease(
      installation,
      subject,
      await bindingOf(),
      momentOf(systemClock),
      () => undefined,
    );
    const keys = await lease.keys(1);
    expect(keys.record.some((byte) => byte !== 0)).toBe(true);
    lease.end('expired');
    for (const key of [keys.record, keys.wrap]) expect(key).toEqual(new Uint8Array(32));

    const late = new NamespaceLease(
      installation,
      subject,
      await bindingOf(),
      momentOf(systemClock),
      () => undefined,
    );
    const flight = late.keys(1);
    late.end('purged');
    expect((await flight).record).toEqual(new Uint8Array(32));
  });
});
