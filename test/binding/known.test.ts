import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KnownChains } from '../../src/binding/known.js';
import { pinRoots } from '../../src/binding/roots.js';
import { formatTrust } from '../../src/binding/trust.js';
import { nodeEngine as engine } from '../../src/crypto/node.js';
import { type BindingPayload } from '../../src/format/binding-payload.js';
import {
  after,
  firstPayload,
  Forge,
  hashOf,
  id,
  type NamedSigner,
  registry,
  signer,
  subject,
} from './forge.js';

let root: NamedSigner;
let gen: NamedSigner;
let one: BindingPayload;
let two: BindingPayload;
let forge: Forge;

beforeAll(async () => {
  [root, gen] = await Promise.all([signer(1), signer(11)]);
  one = firstPayload(gen);
  two = after(one, { status: 'suspended' });
});

beforeEach(async () => {
  forge = new Forge({ root, status: 'active' });
  await forge.add(one, root);
  await forge.add(two, root);
});

const trustOf = (payload: BindingPayload) => ({
  instance: payload.instance,
  epoch: payload.epoch,
  payload: hashOf(payload),
});

describe('what a process has seen', () => {
  it('counts, even if its durable marks are stale', async () => {
    const stale = { get: () => Promise.resolve(formatTrust(trustOf(one))), set: () => Promise.resolve() };
    const reader = forge.reader(stale);
    await reader.read(subject);
    await forge.remove(2);
    expect(await forge.verdict({}, reader)).toBe('binding-rollback');
  });

  it('counts for each instance, also when another one was named in between', async () => {
    const reader = forge.reader();
    await reader.read(subject);
    await forge.remove(2);
    await forge.add({ ...one, instance: id(8) }, root);
    expect(await forge.verdict({ instance: id(8) }, reader)).toBe(1);
    await forge.add(one, root);
    expect(await forge.verdict({ instance: one.instance }, reader)).toBe('binding-rollback');
  });

  it('outlives it in durable marks', async () => {
    const marks = forge.durable();
    await forge.reader(marks).read(subject);
    expect([...forge.marks.values()]).toEqual([formatTrust(trustOf(two))]);
    await forge.remove(2);
    expect(await forge.verdict({}, forge.reader(marks))).toBe('binding-rollback');
  });

  it('is never lowered by a slower reader, neither in memory nor in the marks', async () => {
    const known = new KnownChains(registry, forge.durable());
    await Promise.all([known.advance(subject, trustOf(two)), known.advance(subject, trustOf(one))]);
    expect(await known.of(subject, {})).toEqual([trustOf(two), trustOf(two)]);
    expect([...forge.marks.values()]).toEqual([formatTrust(trustOf(two))]);
    const forgetful = new KnownChains(registry, undefined);
    for (const payload of [two, one]) await forgetful.advance(subject, trustOf(payload));
    expect(await forgetful.of(subject, {})).toEqual([trustOf(two)]);
  });

  it('is compared with the trust that a caller gives later: a thief’s chain does not stay believed', async () => {
    const thiefs: BindingPayload = { ...one, owner: 'Mallory' };
    await forge.add(thiefs, root);
    await forge.add(after(thiefs), root);
    const reader = forge.reader();
    expect(await forge.verdict({}, reader)).toBe(2);
    expect(await forge.verdict({ trust: trustOf(one) }, reader)).toBe('binding-fork');
  });

  it('cannot be asked about two instances at once', async () => {
    expect(await forge.verdict({ trust: trustOf(one), instance: id(8) })).toBe('invalid-argument');
  });

  it.each([
    ['that cannot be read', { get: () => Promise.reject(new Error('disk')), set: () => Promise.resolve() }],
    ['that hold something else', { get: () => Promise.resolve('epoch 3'), set: () => Promise.resolve() }],
    [
      'that cannot be kept',
      { get: () => Promise.resolve(undefined), set: () => Promise.reject(new Error('disk')) },
    ],
  ])('is not made up for marks %s', async (_, marks) => {
    expect(await forge.verdict({}, forge.reader(marks))).toBe('misconfigured');
  });
});

describe('a reader', () => {
  it('refuses the root twice in epoch 1', async () => {
    await forge.add(one, root, root);
    expect(await forge.verdict()).toBe('binding-invalid');
  });

  it('is not kept busy for ever by a store that shows an epoch only every other time', async () => {
    const { eu } = forge.stores;
    let asked = 0;
    const get = eu.get.bind(eu);
    eu.get = (key, options) =>
      key.name === '3' && asked++ % 2 === 0 ? Promise.resolve(null) : get(key, options);
    const list = eu.list.bind(eu);
    eu.list = async (folder, options) => {
      const page = await list(folder, options);
      const [entry] = page.entries;
      return {
        ...page,
        entries: [...page.entries, ...(entry === undefined ? [] : [{ ...entry, name: '9' }])],
      };
    };
    await forge.add(after(two), root);
    expect(await forge.verdict()).toBe('binding-gap');
  });

  it('refuses JSON too deep to spell, like anything malformed', async () => {
    await forge.place(1, new TextEncoder().encode('['.repeat(100_000)));
    expect(await forge.verdict()).toBe('binding-invalid');
    await forge.place(1, new TextEncoder().encode(`${'['.repeat(100_000)}${']'.repeat(100_000)}`));
    expect(await forge.verdict()).toBe('binding-invalid');
    expect(forge.refusals).toEqual(['binding-invalid', 'binding-invalid']);
  });
});

describe('pinned roots', () => {
  const active = () => ({ publicKey: root.publicKey, status: 'active' as const });
  it.each([
    ['none', () => []],
    ['one twice', () => [active(), { ...active(), status: 'retired' }]],
    ['retired ones only', () => [{ ...active(), status: 'retired' }]],
    ['a key that is too short', () => [{ ...active(), publicKey: 'AAAA' }]],
    ['an unknown member', () => [{ ...active(), admin: true }]],
    ['something else', () => 'root'],
  ])('are refused: %s', (_, make) => {
    expect(() => pinRoots(engine, make())).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
