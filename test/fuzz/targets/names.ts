/*
 * What callers and operators write: names, contexts, trust, key URIs, policies, configurations.
 */
import { createHash } from 'node:crypto';
import { formatTrust, parseTrust } from '../../../src/binding/trust.js';
import { type KeyUse } from '../../../src/format/binding-payload.js';
import { contextBytes, nameBytes } from '../../../src/format/identity.js';
import { type Context, type KeyPolicy, KeyboundError } from '../../../src/index.js';
import { KeyProviders, normalisePolicy } from '../../../src/keys/policy.js';
import { localKeys } from '../../../src/keys/providers/local/index.js';
import { entryOf, textOf } from '../../../src/storage/stores/file/names.js';
import { same } from '../../support/bytes.js';
import { words } from '../engine/bytes.js';
import { anyText, textBytes } from '../engine/choices.js';
import { mutateJson } from '../engine/json.js';
import { engine } from '../engine/seeded-engine.js';
import { type MakeTarget, must, type Mutator } from '../engine/target.js';
import { json, makeFuzzWorld, material, text } from './world.js';

/** Alters text as JSON strings are altered. */
const mutateText: Mutator = (input, rng, others) => {
  const spelt = (bytes: Uint8Array): Uint8Array => text(JSON.stringify(anyText(bytes)));
  const made = Buffer.from(mutateJson(spelt(input), rng, others.map(spelt))).toString('utf8');
  try {
    const value: unknown = JSON.parse(made);
    return textBytes(typeof value === 'string' ? value : made);
  } catch {
    return textBytes(made);
  }
};

const u16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 0xff]);
const prefixed = (part: string): Buffer => {
  const bytes = Buffer.from(part, 'utf8');
  return Buffer.concat([u16(bytes.length), bytes]);
};

/** SPEC.md §3, written anew. */
function encoded(context: object): Buffer {
  const pairs = Object.entries(context) as [string, string][];
  pairs.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Buffer.concat([
    u16(pairs.length),
    ...pairs.flatMap(([key, value]) => [prefixed(key), prefixed(value)]),
  ]);
}

export const context: MakeTarget = () => ({
  name: 'context',
  corpus: [
    text({}),
    text({ customer: '42', field: 'iban' }),
    text({ '': '', '\u{1f600}': '\uffff', '\ue000': 'é' }),
  ],
  mutators: [mutateJson],
  maxLength: 400_000,
  shortRuns: 300,
  run: (input) => {
    const given = json(input) as Context | undefined;
    if (given === undefined) return;
    const bytes = contextBytes(given);
    must(same(bytes, encoded(given)), 'a context encoded as something else');
    must(bytes.length <= 2 + 32 * 4 + 8192, 'a context beyond its limit');
  },
});

export const objectName: MakeTarget = async () => {
  const acme = await (await makeFuzzWorld()).process().open('acme', { region: 'eu' });
  const record = await acme.encryptRecord('a', new Uint8Array(0));
  return {
    name: 'name',
    corpus: ['a', 'customers/42', '../../etc/passwd', 'é\u{1f600}\0', 'x'.repeat(512), '.', 'CON', '~'].map(
      textBytes,
    ),
    mutators: [mutateText],
    maxLength: 4096,
    run: async (input) => {
      const name = anyText(input);
      const bytes = nameBytes(name);
      must(
        same(bytes, Buffer.from(name, 'utf8')) && bytes.length >= 1 && bytes.length <= 512,
        'a name as something else',
      );
      const entry = entryOf(name);
      must(/^~?[a-z0-9_.%-]{1,200}$/.test(entry) && !/^\.|\.$/.test(entry), 'a file name that is none');
      must(entry.startsWith('~') || textOf(entry) === name, 'a file name that stands for another');
      await acme.put(name, input);
      const listed: string[] = [];
      for await (const entry of acme.list({ prefix: name })) listed.push(entry.name);
      must(listed.includes(name), 'an object that is not listed');
      must(same(await (await acme.get(name)).bytes(), input), 'an object under another name');
      must(await acme.delete(name), 'an object that cannot be deleted');
      if (name !== 'a') must(!(await opens(acme.decryptRecord(name, record))), 'a record under another name');
    },
  };
};

const opens = (opening: Promise<unknown>): Promise<boolean> =>
  opening.then(
    () => true,
    (error: unknown) => {
      if (error instanceof KeyboundError) return false;
      throw error;
    },
  );

/** Ids of namespaces and regions, and listing tokens: whatever text `open` and its like are given. */
export const ids: MakeTarget = async () => {
  const keybound = (await makeFuzzWorld()).process();
  return {
    name: 'ids',
    corpus: ['acme', 'eu', 'a'.repeat(128), '__proto__', 'constructor', '..', 'a/b'].map(textBytes),
    mutators: [mutateText],
    maxLength: 4096,
    run: async (input) => {
      const id = anyText(input);
      must(
        (await opens(keybound.open(id, { region: 'eu' }))) === (id === 'acme'),
        'a namespace that is none',
      );
      must((await opens(keybound.open('acme', { region: id }))) === (id === 'eu'), 'a region that is none');
      must(!(await opens(keybound.open('acme', { region: 'eu', instance: id }))), 'an instance that is none');
      await keybound.locate(id);
    },
  };
};

export const trust: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const valid = (await world.process().open('acme', { region: 'eu' })).trust;
  const [instance = '', , hash = ''] = valid.split('.');
  return {
    name: 'trust',
    corpus: [
      valid,
      `${instance}.4294967295.${hash}`,
      `${instance}.2.${createHash('sha512').digest('base64url')}`,
    ].map((one) => text(one)),
    mutators: [words('.', '0', '4294967296', '-1', '1e1', '_', '-')],
    maxLength: 4096,
    shortRuns: 250,
    run: async (input) => {
      const given = Buffer.from(input).toString('utf8');
      const parsed = parseTrust(given);
      must(formatTrust(parsed) === given, 'trust in two spellings');
      await world.process().open('acme', { region: 'eu', trust: given });
      must(given === valid, 'trust in something else held');
    },
  };
};

export const keyUri: MakeTarget = async () => {
  const { provider } = await makeFuzzWorld();
  const providers = new KeyProviders([provider]);
  return {
    name: 'key-uri',
    corpus: [
      'local://acme',
      `local://${'a'.repeat(63)}`,
      'aws-kms://arn:aws:kms:eu-west-1:1:key/2',
      'local://',
      'LOCAL://A',
    ].map(textBytes),
    mutators: [mutateText],
    maxLength: 4096,
    shortRuns: 500,
    run: (input) => {
      const uri = anyText(input);
      const parsed = providers.parse(uri);
      must(parsed.uri === uri && provider.parse(uri).uri === uri, 'a key URI in two spellings');
      must(
        parsed.location === 'local' && /^local:\/\/[a-z0-9][a-z0-9._-]{0,62}$/.test(uri),
        'a key URI that is none',
      );
    },
  };
};

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const uris = names.map((name) => `local://${name}`);

/** Whether the keys of a set unlock a policy, as its words say. */
function unlocks(policy: KeyPolicy, held: ReadonlySet<string>): boolean {
  if (typeof policy === 'string') return held.has(policy);
  if ('serviceKey' in policy) return held.has(policy.serviceKey);
  if ('anyOf' in policy) return policy.anyOf.some((one) => unlocks(one, held));
  return policy.allOf.every((one) => unlocks(one, held));
}

export const policy: MakeTarget = () => {
  const providers = new KeyProviders([
    localKeys(Object.fromEntries(names.map((name) => [name, new Uint8Array(32)]))),
  ]);
  const [a = '', b = '', c = '', d = ''] = uris;
  const pairs = (i: number): KeyPolicy => ({ anyOf: uris.slice(i, i + 2) });
  return {
    name: 'policy',
    corpus: [
      a,
      { serviceKey: a },
      { anyOf: [a, { allOf: [b, { serviceKey: c }] }] },
      { allOf: [pairs(0), pairs(2), pairs(4)] },
      { anyOf: [{ allOf: [a, b] }, { allOf: [c, d] }, a, { anyOf: [{ anyOf: [d] }] }] },
      { anyOf: uris.slice(0, 8) },
    ]
      .map(text)
      .map((one) => (one[0] === 0x6c ? text(JSON.stringify(a)) : one)),
    mutators: [mutateJson, words(...uris, '{"anyOf":[', '{"allOf":[', ']}')],
    maxLength: 400_000,
    shortRuns: 400,
    run: (input) => {
      const given = json(input) as KeyPolicy | undefined;
      if (given === undefined) return;
      const { alternatives } = normalisePolicy(engine, given, providers, true);
      must(alternatives.length >= 1 && alternatives.length <= 8, 'a number of alternatives beyond the limit');
      must(
        alternatives.every((keys) => keys.length >= 1 && keys.length <= 4),
        'a number of keys beyond the limit',
      );
      const used = [...new Set(alternatives.flat().map((key: KeyUse) => key.uri))].slice(0, 6);
      for (let mask = 0; mask < 1 << used.length; mask++) {
        const held = new Set(used.filter((_, i) => (mask & (1 << i)) !== 0));
        const now = alternatives.some((keys) => keys.every(({ uri }) => held.has(uri)));
        must(now === unlocks(given, held), 'a policy that means something else');
      }
    },
  };
};

/** What a service keeps in its configuration, read from a file. */
export const config: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const { registry, roots, keys, regions } = world.options;
  const { wrapped, ...signing } = world.signing;
  const retired = { publicKey: Buffer.from(material.acme).toString('base64url'), status: 'retired' };
  return {
    name: 'config',
    corpus: [
      { registry, roots },
      { registry, roots, signing },
      { registry, roots: [...roots, retired], signing: { ...signing, wrapped } },
    ].map(text),
    mutators: [mutateJson],
    maxLength: 100_000,
    shortRuns: 200,
    run: async (input) => {
      const given = json(input) as { registry: string } | undefined;
      if (given === undefined) return;
      const keybound = world.process({ ...given, keys, regions });
      await keybound.open('acme', { region: 'eu' });
      must(keybound.registry === registry, 'a namespace of another registry');
    },
  };
};

/** Keys from the environment. */
export const localKeysText: MakeTarget = () => ({
  name: 'local-keys',
  corpus: (['hex', 'base64', 'base64url'] as const).map((encoding) =>
    text({ app: Buffer.from(material.acme).toString(encoding), other: 'A'.repeat(43) }),
  ),
  mutators: [mutateJson],
  shortRuns: 300,
  run: (input) => {
    const given = json(input);
    if (given !== undefined) localKeys(given as Record<string, string>);
  },
});
