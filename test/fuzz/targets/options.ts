/*
 * Every public function, called with arguments that its types do not allow.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as keybound from '../../../src/index.js';
import { localKeyring, localKeys } from '../../../src/keys/providers/local/index.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { memoryStore } from '../../../src/storage/stores/memory.js';
import { Rng } from '../../support/rng.js';
import { Choices } from '../engine/choices.js';
import { type MakeTarget } from '../engine/target.js';
import { makeFuzzWorld } from './world.js';

/** Names that some function knows, and such as none does. */
const members = [
  ...[
    'region',
    'trust',
    'instance',
    'signal',
    'key',
    'owner',
    'parent',
    'dataClass',
    'ownerCannotRevoke',
    'context',
    'range',
  ],
  ...[
    'version',
    'contentType',
    'fileName',
    'pairs',
    'ifAbsent',
    'ifVersion',
    'prefix',
    'cursor',
    'limit',
    'start',
    'end',
    'suffix',
  ],
  ...[
    'registry',
    'roots',
    'regions',
    'keys',
    'signing',
    'marks',
    'onEvent',
    'publicKey',
    'status',
    'wrapped',
    'recoveryKey',
  ],
  ...[
    'passphrase',
    'workFactor',
    'location',
    'store',
    'keyLocations',
    'anyOf',
    'allOf',
    'serviceKey',
    'get',
    'set',
    'scheme',
  ],
  ...['constructor', 'toString', '', 'unknown', 'then'],
];

class Odd {
  readonly region = 'eu';
}

const circle: Record<string, unknown> = {};
circle['context'] = circle;

function value(choices: Choices, depth: number): unknown {
  const leaf = depth >= 3 || choices.spent;
  const kind = choices.below(leaf ? 24 : 32);
  const simple: readonly (() => unknown)[] = [
    () => undefined,
    () => null,
    () => true,
    () => 'eu',
    () => 'acme',
    () => 'name',
    () => 'local://acme',
    () => '',
    () => choices.text(40),
    () => 'x'.repeat(10_000),
    () => 0,
    () => choices.pick([1, -1, 10, 0.5, NaN, Infinity, -0, 2 ** 53, 2 ** 32, 1001]),
    () => choices.below(65_536),
    () => 10n,
    () => Symbol('odd'),
    () => (): undefined => undefined,
    () => new Date(NaN),
    () => new Map([['a', 1]]),
    () => new Odd(),
    () => circle,
    () => choices.bytes(choices.below(100)),
    () => new Uint16Array(4),
    () => new ArrayBuffer(8),
    () => AbortSignal.abort(),
    () => new Array<unknown>(choices.below(5)),
  ];
  if (kind < simple.length) return simple[kind]?.();
  const list = (): unknown[] => Array.from({ length: choices.below(4) }, () => value(choices, depth + 1));
  if (kind === 25) return list();
  if (kind === 26) return list()[Symbol.iterator]();
  const made = kind === 27 ? (Object.create(null) as object) : {};
  for (let left = choices.below(5); left > 0; left--) {
    const key = choices.oneIn(12) ? '__proto__' : choices.pick(members);
    Object.defineProperty(made, key, {
      value: value(choices, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}

/** Reads what a call gives, if there is something to be read. */
async function drain(result: unknown): Promise<void> {
  const given = await result;
  if (given instanceof keybound.ByteStream) await given.bytes();
  else if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given) {
    let left = 20;
    for await (const one of given as AsyncIterable<unknown>) if (one === null || --left === 0) break;
  }
}

type Call = (args: readonly unknown[], options: unknown) => unknown;

// Types are what this target breaks: each function is called as JavaScript calls it.
const untyped = <T extends object>(of: T, method: keyof T): Call => {
  const called = of[method] as unknown as (...args: unknown[]) => unknown;
  return (args, options) => called.apply(of, [...args, options]);
};

export const options: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const open = world.process();
  const admin = world.process({ signing: world.signing });
  const acme = await open.open('acme', { region: 'eu' });
  const folder = mkdtempSync(join(tmpdir(), 'keybound-fuzz-options-'));
  const ring = localKeyring(join(folder, 'none.age'), {
    passphrase: 'five random words at least',
    workFactor: 10,
  });
  const stores = [memoryStore(), fileStore(join(folder, 'store'))];
  const piece = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(3));
  };
  const { registry, roots, regions, keys } = world.options;
  const merged =
    (base: object) =>
    (options: unknown): object =>
      typeof options === 'object' && options !== null ? { ...base, ...options } : base;
  const configured = merged({ registry, roots, regions, keys });
  const initial = merged({
    region: 'eu',
    regions,
    keys,
    key: 'local://service',
    recoveryKey: 'local://backup',
  });
  const calls: readonly Call[] = [
    ...(['open', 'locate', 'list'] as const).map((method) => untyped(open, method)),
    (args, options) => untyped(open, 'open')(['acme', ...args.slice(2)], merged({ region: 'eu' })(options)),
    (args, options) => untyped(admin, 'create')(args, options),
    (_, options) =>
      untyped(admin, 'create')(['fresh'], merged({ region: 'us', key: 'local://acme' })(options)),
    ...(
      [
        'put',
        'get',
        'head',
        'list',
        'listPage',
        'delete',
        'encryptRecord',
        'decryptRecord',
        'encryptStream',
        'decryptStream',
        'describe',
        'suspend',
        'resume',
        'rotate',
      ] as const
    ).map((method) => untyped(acme, method)),
    (_, options) => acme.put('name', piece(), options as keybound.PutOptions),
    (_, options) => acme.get('name', options as keybound.GetOptions),
    (_, options) => acme.encryptRecord('name', new Uint8Array(3), options as object),
    (_, options) => acme.encryptStream('name', [new Uint8Array(3)], options as keybound.EncryptOptions),
    ([first], options) =>
      keybound.openKeybound(
        (first === undefined ? options : configured(options)) as keybound.KeyboundOptions,
      ),
    (_, options) => keybound.initRegistry(initial(options) as keybound.InitOptions),
    ([path], options) => localKeyring(path as string, options as object),
    (_, options) => localKeyring(join(folder, 'none.age'), options as object),
    (_, options) => localKeys(options as Record<string, string>),
    (_, options) => memoryStore(options as object),
    (_, options) => fileStore(join(folder, 'other'), options as object),
    ([name], options) => ring.disableKey(name as string, options as object),
    ([uri, secret, context], options) =>
      world.provider.wrap(
        uri as string,
        secret as Uint8Array,
        context as keybound.KmsContext,
        options as object,
      ),
    ([uri, blob, context], options) =>
      world.provider.unwrap(
        uri as string,
        blob as Uint8Array,
        context as keybound.KmsContext,
        options as object,
      ),
    ([uri], options) => world.provider.describe(uri as string, options as object),
    ...stores.flatMap((store): Call[] => [
      ...(['get', 'head', 'delete', 'list', 'folders', 'describe'] as const).map((method) =>
        untyped(store, method),
      ),
      (_, options) => store.put({ folder: 'a', name: 'b' }, piece(), options as object),
      (_, options) =>
        store.get({ folder: 'a', name: 'b' }, options as object).then((found) => found?.bytes.cancel()),
      (_, options) => store.list('a', options as object),
    ]),
  ];
  return {
    name: 'options',
    corpus: Array.from({ length: 150 }, (_, i) => Uint8Array.of(i % calls.length, ...new Rng(i).bytes(30))),
    maxLength: 300,
    shortRuns: 300,
    run: async (input) => {
      const choices = new Choices(input);
      const call = choices.pick(calls);
      const args = Array.from({ length: choices.below(4) }, () => value(choices, 1));
      await drain(call(args, value(choices, 0)));
    },
  };
};
