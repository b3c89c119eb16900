import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect, KeyboundError, type Namespace, type NamespaceDescription } from '../src/index.js';
import { plaintextSize } from '../src/format/chunked-body.js';
import { readAtMost } from '../src/storage/bytes.js';
import { bindingPlace } from '../src/storage/layout.js';
import { type ObjectKey } from '../src/storage/store.js';
import { makeWorld, type World } from './support/world.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface GoldenDirectObject {
  readonly header: string;
  readonly body: string;
  readonly alternatives: readonly { readonly keys: readonly { readonly ref: string }[] }[];
}
const golden = (
  JSON.parse(readFileSync(join(__dirname, 'golden/direct-object.json'), 'utf8')) as {
    cases: GoldenDirectObject[];
  }
).cases;

let world: World;
let acme: Namespace;
let described: NamespaceDescription;
beforeAll(async () => {
  world = await makeWorld();
  acme = await world.keybound.create('acme', { key: 'local://acme', owner: 'Acme' });
  described = await acme.describe();
});

async function stored(place: ObjectKey): Promise<Uint8Array> {
  const found = await world.store.get(place);
  const bytes = found === null ? null : await readAtMost(found.bytes, 1 << 20);
  if (bytes === null) throw new Error('it was stored');
  return bytes;
}

const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error instanceof KeyboundError ? error.code : error;
  }
};

describe('inspect', () => {
  it('says what a record is', async () => {
    const record = await acme.encryptRecord('iban', text('secret'));
    expect(inspect(record)).toEqual({ kind: 'record', generation: 1, storedSize: 86, size: 6 });
  });

  it('says what an object is, from its beginning', async () => {
    await acme.put('a', new Uint8Array(100_000), { contentType: 'text/plain' });
    const bytes = await stored(world.placeOf(described, 'a'));
    const found = inspect(bytes.subarray(0, 2000), { storedSize: bytes.length });
    expect(found).toMatchObject({ kind: 'object', generation: 1, size: 100_000, storedSize: bytes.length });
    expect(JSON.stringify(found)).not.toMatch(/text.plain/);
    expect(inspect(bytes.subarray(0, 2000))).toMatchObject({ kind: 'object', storedSize: 2000 });
    expect(inspect(bytes, { storedSize: bytes.length + 1 })).toMatchObject({ size: 100_001 });
  });

  it('says which keys a direct object needs', () => {
    for (const { header, body, alternatives } of golden) {
      const found = inspect(Buffer.from(header + body, 'hex'));
      expect(found).toMatchObject({
        kind: 'direct-object',
        headerLength: header.length / 2,
        alternatives: alternatives.map(({ keys }) => keys.map(({ ref }) => ref)),
        size: plaintextSize(body.length / 2),
      });
    }
  });

  it('says what a binding and its wraps hold, all but the keys', async () => {
    const bytes = await stored(bindingPlace(world.config.registry, 'acme', 1));
    expect(inspect(bytes)).toMatchObject({
      kind: 'binding',
      registry: world.config.registry,
      signedBy: [world.keybound.roots[0]?.kid],
      namespace: described,
    });
    const folder = `keybound/${world.config.registry}/namespaces/acme/wraps/1`;
    const [entry] = (await world.store.list(folder)).entries;
    expect(inspect(await stored({ folder, name: entry?.name ?? '' }))).toMatchObject({
      kind: 'wraps',
      alternatives: [[{ uri: 'local://acme' }]],
    });
  });

  it.each([
    ['nothing', '', 'not-ciphertext'],
    ['plaintext', 'hello', 'not-ciphertext'],
    ['other JSON', '{"a":1}', 'not-ciphertext'],
    ['a binding that is none', '{"payload":1}', 'binding-invalid'],
    ['wraps that are none', '{"format":"keybound/v1/wrap"}', 'wrap-invalid'],
    ['an unknown form', 'KBD\u0009', 'unsupported-form'],
    ['a record cut short', 'KBD\u0001\0', 'integrity-failure'],
    ['an object cut short', 'KBD\u0002\0\0\0\u0001', 'integrity-failure'],
    ['a direct object cut short', 'KBD\u0003', 'integrity-failure'],
  ])('refuses %s', (_, bytes, code) => {
    expect(codeOf(() => inspect(text(bytes)))).toBe(code);
  });

  it('refuses arguments that make no sense', () => {
    for (const [bytes, options] of [
      ['KBD', {}],
      [text('KBD'), { storedSize: 1 }],
      [text('KBD'), { size: 3 }],
    ]) {
      expect(codeOf(() => inspect(bytes as never, options as never))).toBe('invalid-argument');
    }
  });
});
