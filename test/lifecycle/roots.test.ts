import { beforeEach, describe, expect, it } from 'vitest';
import { type SignedAgain } from '../../src/index.js';
import { piece } from '../../src/storage/bytes.js';
import { signingKeyPlace } from '../../src/storage/layout.js';
import { bytes, codeOf, makeWorld, type World } from './support.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

async function all(signed: AsyncIterable<SignedAgain>): Promise<SignedAgain[]> {
  const out = [];
  for await (const one of signed) out.push(one);
  return out;
}

/** Namespaces acme, suspended, and globex; a new root; and the options with which processes then open the registry. */
async function prepare() {
  const keybound = world.process();
  const acme = await keybound.create('acme', { key: 'local://acme' });
  await acme.put('a', bytes('kept'));
  const globex = await keybound.create('globex', { key: 'local://globex' });
  await globex.suspend();
  const { root, signing } = await keybound.addRoot({ key: 'local://vendor' });
  const roots = [...world.config.roots, root];
  const retired = roots.map((one) =>
    one.publicKey === world.config.signing.publicKey ? { ...one, status: 'retired' as const } : one,
  );
  return { root, signing, roots, retired };
}

describe('a root that is added', () => {
  it('signs, once it is pinned', async () => {
    const { roots, signing } = await prepare();
    const keybound = world.another({ roots, signing });
    const acme = await keybound.open('acme');
    await acme.rotate();
    expect((await acme.describe()).root).toBe(keybound.roots[2]?.kid);
    expect(await codeOf(world.process().open('acme'))).toBe('root-not-trusted');
  });

  it('can be kept offline: its wrapped seed is stored nowhere, and needed', async () => {
    const { root, signing } = await world.process().addRoot({ key: 'local://vendor', offline: true });
    const roots = [...world.config.roots, root];
    const kid = world.another({ roots }).roots[2]?.kid ?? '';
    expect(await world.store.head(signingKeyPlace(world.config.registry, kid))).toBe(null);
    const { wrapped, ...without } = signing;
    expect(wrapped).toMatch(/keybound\/v1\/wrap/);
    await world.another({ roots, signing }).create('acme', { key: 'local://acme' });
    const lost = world.another({ roots, signing: without }).create('globex', { key: 'local://globex' });
    expect(await codeOf(lost)).toBe('wrap-invalid');
  });

  it('needs a key that the region allows, and options that make sense', async () => {
    const keybound = world.process();
    expect(await codeOf(keybound.addRoot({ key: 'local://nobody' }))).toBe('key-not-found');
    expect(await codeOf(keybound.addRoot({ key: 'local://vendor', offline: 'yes' as never }))).toBe(
      'invalid-argument',
    );
    expect(await codeOf(keybound.addRoot({ key: 'local://vendor', region: 'us' }))).toBe('invalid-argument');
  });
});

describe('a root that retires', () => {
  it('leaves every chain readable once another root has signed it again, without any owner’s key', async () => {
    const { roots, retired, signing } = await prepare();
    expect(await codeOf(world.another({ roots: retired, signing }).open('acme'))).toBe('root-not-trusted');
    world.keys.turn('local://acme', 'key-revoked');
    world.keys.turn('local://globex', 'hung');
    const signed = await all(world.another({ roots, signing }).signAgain());
    expect(signed).toMatchObject([
      { id: 'acme', region: 'eu', signed: true },
      { id: 'globex', region: 'eu', signed: true },
    ]);
    world.keys.turn('local://acme', 'on');
    const after = world.another({ roots: retired, signing });
    const acme = await after.open('acme', { trust: signed[0]?.trust ?? '' });
    expect(await (await acme.get('a')).text()).toBe('kept');
    expect(await (await after.open('globex')).describe()).toMatchObject({ status: 'suspended', epoch: 3 });
  });

  it('is signed after once: what is done already is left as it is', async () => {
    const { roots, signing } = await prepare();
    const keybound = world.another({ roots, signing });
    for await (const one of keybound.signAgain()) {
      expect(one.id).toBe('acme');
      break;
    }
    expect((await all(keybound.signAgain())).map(({ id, signed }) => [id, signed])).toEqual([
      ['acme', false],
      ['globex', true],
    ]);
    expect((await all(keybound.signAgain())).map(({ signed }) => signed)).toEqual([false, false]);
  });

  it('does not wait for a namespace whose chain is damaged, and says which it is', async () => {
    const { roots, signing } = await prepare();
    const folder = `keybound/${world.config.registry}/namespaces/acme/bindings`;
    await world.store.delete({ folder, name: '1' });
    await world.store.put({ folder, name: '1' }, piece(bytes('{}')));
    const signed = await all(world.another({ roots, signing }).signAgain());
    expect(signed.map(({ id, error, signed }) => [id, error?.code, signed])).toEqual([
      ['acme', 'binding-invalid', false],
      ['globex', undefined, true],
    ]);
  });

  it('takes a signing key', async () => {
    await prepare();
    expect(await codeOf(all(world.process({ reader: true }).signAgain()))).toBe('no-signing-key');
  });
});
