/*
 * Callers are plain JavaScript too: whatever is given in place of an argument or an option is refused by name, as a
 * rejection where a promise is returned, and changes nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Keybound, initRegistry, KeyboundError, type Namespace, openKeybound } from '../../src/index.js';
import { localKeyring, localKeys } from '../../src/keys/providers/local/index.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { fileStore } from '../../src/storage/stores/file/index.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { piece } from '../../src/storage/bytes.js';
import { failureOf } from '../support/errors.js';
import { type Ground, expectHelpful, makeGround } from './ground.js';

/** One of each kind of value. */
const values = {
  undefined: undefined,
  null: null,
  'a number': 7,
  NaN: NaN,
  true: true,
  'a symbol': Symbol('canary'),
  'a bigint': 10n,
  'an empty string': '',
  'a string': 'a string that is nothing',
  'an object': {},
  'an array': [7],
  'a function': () => 7,
  'a promise': Promise.resolve('x'),
  'a date': new Date(0),
} as const;
type ValueName = keyof typeof values;

const strings: readonly ValueName[] = ['a string'];
/** For what may be left out. */
const optional: readonly ValueName[] = ['undefined', 'an object'];

let ground: Ground;
let keybound: Keybound;
let acme: Namespace;
beforeAll(async () => {
  ground = await makeGround('memory');
  ({ acme } = ground);
  ({ keybound } = ground.world);
});
afterAll(async () => {
  await ground.intact();
  ground.close();
});

const bytes = Uint8Array.of(1, 2, 3);
// What the types forbid is what is tested here.
type Hostile = never;

/** A parameter: a call with any value in its place, and the kinds of value that are right there. */
type Parameter = readonly [what: string, call: (value: Hostile) => unknown, right?: readonly ValueName[]];

const parameters: readonly Parameter[] = [
  ['put(name)', (value) => acme.put(value, bytes), strings],
  ['put(source)', (value) => acme.put('new', value), ['an array']],
  ['put(options)', (value) => acme.put('new', bytes, value), optional],
  ['get(name)', (value) => acme.get(value), strings],
  ['get(options)', (value) => acme.get('large', value), optional],
  ['head(name)', (value) => acme.head(value), strings],
  ['head(options)', (value) => acme.head('large', value), optional],
  ['delete(name)', (value) => acme.delete(value), strings],
  ['delete(options)', (value) => acme.delete('none', value), optional],
  ['list(options)', (value) => acme.list(value).next(), optional],
  ['listPage(options)', (value) => acme.listPage(value), optional],
  ['encryptRecord(name)', (value) => acme.encryptRecord(value, bytes), strings],
  ['encryptRecord(plaintext)', (value) => acme.encryptRecord('record', value)],
  ['encryptRecord(options)', (value) => acme.encryptRecord('record', bytes, value), optional],
  ['decryptRecord(name)', (value) => acme.decryptRecord(value, ground.record), strings],
  ['decryptRecord(record)', (value) => acme.decryptRecord('record', value)],
  ['decryptRecord(options)', (value) => acme.decryptRecord('record', ground.record, value), optional],
  ['encryptStream(name)', (value) => acme.encryptStream(value, bytes), strings],
  ['encryptStream(source)', (value) => acme.encryptStream('stream', value), ['an array']],
  ['encryptStream(options)', (value) => acme.encryptStream('stream', bytes, value), optional],
  ['decryptStream(name)', (value) => acme.decryptStream(value, ground.stream), strings],
  ['decryptStream(source)', (value) => acme.decryptStream('stream', value), ['an array']],
  ['decryptStream(options)', (value) => acme.decryptStream('stream', ground.stream, value), optional],
  ['describe(options)', (value) => acme.describe(value), optional],
  ['suspend(options)', (value) => acme.suspend(value), optional],
  ['resume(options)', (value) => acme.resume(value), optional],
  ['rotate(options)', (value) => acme.rotate(value), optional],
  ['create(id)', (value) => keybound.create(value, { key: 'local://acme' })],
  ['create(options)', (value) => keybound.create('new', value)],
  ['open(id)', (value) => keybound.open(value)],
  ['open(options)', (value) => keybound.open('acme', value), optional],
  ['locate(id)', (value) => keybound.locate(value)],
  ['locate(options)', (value) => keybound.locate('acme', value), optional],
  ['Keybound.list(options)', (value) => keybound.list(value).next(), optional],
  ['initRegistry(options)', (value) => initRegistry(value)],
  ['openKeybound(options)', (value) => openKeybound(value)],
  ['memoryStore(options)', (value) => memoryStore(value), optional],
  ['fileStore(folder)', (value) => fileStore(value), strings],
  ['fileStore(options)', (value) => fileStore('folder', value), optional],
  ['localKeyring(path)', (value) => localKeyring(value), strings],
  ['localKeyring(options)', (value) => localKeyring('path', value), optional],
  ['localKeys(keys)', (value) => localKeys(value)],
];

/** The same for one option: the others are right. */
type Option = readonly [
  call: string,
  name: string,
  call: (options: Hostile) => unknown,
  right?: readonly ValueName[],
];

const absent: readonly ValueName[] = ['undefined'];
const putCall = (options: Hostile): unknown => acme.put('new', bytes, options);
const getCall = (options: Hostile): unknown => acme.get('large', options);
const pageCall = (options: Hostile): unknown => acme.listPage(options);
const createCall = (options: object): unknown => keybound.create('new', { key: 'local://acme', ...options });
const openCall = (options: object): unknown => {
  const { config, regions, keys } = ground.world;
  return openKeybound({ ...config, regions, keys: [keys], ...options });
};
const initCall = (options: object): unknown => {
  const { regions, keys } = ground.world;
  return initRegistry({
    regions,
    keys: [keys],
    key: 'local://service',
    recoveryKey: 'local://recovery',
    ...options,
  });
};

const options: readonly Option[] = [
  ['put', 'context', putCall, optional],
  ['put', 'contentType', putCall, [...absent, ...strings, 'an empty string']],
  ['put', 'fileName', putCall, [...absent, ...strings, 'an empty string']],
  ['put', 'pairs', putCall, optional],
  ['put', 'signal', putCall, absent],
  ['put', 'ifAbsent', putCall, [...absent, 'true']],
  ['put', 'ifVersion', putCall, [...absent, ...strings, 'an empty string']],
  ['get', 'context', getCall, optional],
  ['get', 'range', getCall, absent],
  ['get', 'version', getCall, [...absent, ...strings, 'an empty string']],
  ['get', 'signal', getCall, absent],
  ['delete', 'ifVersion', (given) => acme.delete('none', given), [...absent, ...strings, 'an empty string']],
  ['head', 'context', (given) => acme.head('large', given), optional],
  ['encryptRecord', 'context', (given) => acme.encryptRecord('record', bytes, given), optional],
  ['decryptRecord', 'context', (given) => acme.decryptRecord('record', ground.record, given), optional],
  ['listPage', 'prefix', pageCall, [...absent, ...strings, 'an empty string']],
  ['listPage', 'cursor', pageCall, absent],
  ['listPage', 'limit', pageCall, [...absent, 'a number']],
  ['listPage', 'signal', pageCall, absent],
  ['open', 'region', (given) => keybound.open('acme', given), absent],
  ['open', 'trust', (given) => keybound.open('acme', given), absent],
  ['open', 'instance', (given) => keybound.open('acme', given), absent],
  ['create', 'key', createCall],
  ['create', 'region', createCall, absent],
  ['create', 'parent', createCall, absent],
  ['create', 'owner', createCall, [...absent, ...strings]],
  ['create', 'dataClass', createCall, [...absent, ...strings]],
  ['create', 'ownerCannotRevoke', createCall, [...absent, 'true']],
  ['openKeybound', 'registry', openCall],
  ['openKeybound', 'roots', openCall],
  ['openKeybound', 'regions', openCall],
  ['openKeybound', 'keys', openCall],
  ['openKeybound', 'signing', openCall, absent],
  ['openKeybound', 'marks', openCall, absent],
  ['openKeybound', 'onEvent', openCall, [...absent, 'a function']],
  ['initRegistry', 'region', initCall, absent],
  ['initRegistry', 'regions', initCall],
  ['initRegistry', 'keys', initCall],
  ['initRegistry', 'key', initCall],
  ['initRegistry', 'recoveryKey', initCall],
  ['initRegistry', 'onEvent', initCall, [...absent, 'a function']],
  [
    'localKeyring',
    'passphrase',
    (given) => localKeyring('path', given),
    [...absent, ...strings, 'an empty string', 'a function'],
  ],
  ['localKeyring', 'workFactor', (given) => localKeyring('path', given), absent],
  ['memoryStore', 'location', memoryStore, absent],
];

const wrong = (right: readonly ValueName[] = []): [ValueName, unknown][] =>
  Object.entries(values).filter(([name]) => !right.includes(name as ValueName)) as [ValueName, unknown][];

/** What a call came to: thrown at once, or later. */
async function outcome(call: () => unknown): Promise<{ atOnce: boolean; error: unknown }> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return { atOnce: true, error };
  }
  try {
    await result;
  } catch (error) {
    return { atOnce: false, error };
  }
  return { atOnce: false, error: new Error('it was accepted') };
}

/** These return no promise, so they throw. */
const throwing = /^(openKeybound|memoryStore|fileStore|localKeyring|localKeys)/;

async function expectRefused(what: string, call: () => unknown, given = 'it'): Promise<void> {
  const { atOnce, error } = await outcome(call);
  if (!(error instanceof KeyboundError))
    throw new Error(`${what} given ${given} fails otherwise`, { cause: error });
  expectHelpful(error);
  expect(error.code, `${given}: ${error.message}`).toBe('invalid-argument');
  expect(atOnce, `${given}: thrown rather than rejected`).toBe(throwing.test(what));
}

async function expectAllRefused(what: string, call: Parameter[1], right?: Parameter[2]): Promise<void> {
  for (const [kind, value] of wrong(right)) await expectRefused(what, () => call(value as Hostile), kind);
}

describe('what is no such argument is refused', () => {
  it.each(parameters.map(([what, call, right]) => ({ what, call, right })))(
    '$what',
    async ({ what, call, right }) => {
      await expectAllRefused(what, call, right);
    },
  );
});

describe('what is no such option is refused', () => {
  it.each(options.map(([of, name, call, right]) => ({ of, name, call, right })))(
    '$of { $name }',
    async ({ of, name, call, right }) => {
      await expectAllRefused(of, (value) => call({ [name]: value } as Hostile), right);
    },
  );
});

describe('options of another make', () => {
  class Condition {
    readonly #absent = true;
    get ifAbsent(): boolean {
      return this.#absent;
    }
  }
  it.each<[string, unknown]>([
    ['a map', new Map([['ifAbsent', true]])],
    ['an instance of a class, whose members are not its own', new Condition()],
    ['an object that inherits them', Object.create({ ifAbsent: true })],
    ['a promise of them, without await', Promise.resolve({ ifAbsent: true })],
    ['bytes', new Uint8Array(0)],
    ['an AbortSignal instead of { signal }', new AbortController().signal],
    ['an own member named __proto__', JSON.parse('{"__proto__":{"ifAbsent":true}}')],
    ['a member of a very long name', { ['x'.repeat(1e6)]: 1 }],
    ['a member whose name steers terminals', { 'a\u001b[2J\u202e\u2028b': 1 }],
    ['a member whose name is a lone surrogate', { '\ud800': 1 }],
  ])('are refused, not ignored: %s', async (_, given) => {
    await expectRefused('put', () => acme.put('new', bytes, given as Hostile));
    await expectRefused('openKeybound', () => openKeybound(given as Hostile));
    await expectRefused('create', () => keybound.create('new', given as Hostile));
  });

  const boo = new RangeError('boo');
  const throws = (): never => {
    throw boo;
  };
  it.each<[string, object]>([
    ['a getter', Object.defineProperty({}, 'ifAbsent', { get: throws, enumerable: true })],
    ['a proxy that hides its members', new Proxy({}, { ownKeys: throws })],
    ['a proxy that hides what it is', new Proxy({}, { getPrototypeOf: throws })],
  ])('may throw, as the code of the caller that they are, and nothing is done: %s', async (_, given) => {
    expect(await outcome(() => acme.put('new', bytes, given))).toEqual({ atOnce: false, error: boo });
    expect(await failureOf(() => acme.head('new'))).toMatchObject({ code: 'object-not-found' });
  });

  it.each<[string, object]>([
    ['frozen ones', Object.freeze({ ifAbsent: false })],
    ['ones without a prototype', Object.assign(Object.create(null) as object, { ifAbsent: false })],
    ['a proxy that only watches', new Proxy({ ifAbsent: false }, {})],
  ])('are taken: %s', async (_, given) => {
    await acme.put('taken', bytes, given);
  });
});

describe('a promise that was not awaited', () => {
  it.each<[string, () => unknown]>([
    ['as a source', () => acme.put('new', Promise.resolve(bytes) as Hostile)],
    ['as a stream', () => acme.encryptStream('new', Promise.resolve(bytes) as Hostile)],
    ['as a record', () => acme.decryptRecord('record', acme.encryptRecord('record', bytes) as Hostile)],
    ['as a name', () => acme.get(Promise.resolve('large') as Hostile)],
    ['as options', () => acme.get('large', Promise.resolve({}) as Hostile)],
  ])('%s is called by its name', async (_, call) => {
    const { error } = await outcome(call);
    expectHelpful(error);
    expect(error.message).toMatch(/promise.*await/);
  });
});

describe.each<[string, () => ObjectStore]>([
  ['memoryStore', memoryStore],
  ['fileStore', () => fileStore('never-made')],
])('what is no such argument is refused by the methods of %s', (_, make) => {
  const store = make();
  const key = { folder: 'a', name: 'b' };
  const calls: readonly Parameter[] = [
    ['get(key)', (value) => store.get(value)],
    ['get(options)', (value) => store.get(key, value), optional],
    ['head(key)', (value) => store.head(value)],
    ['head(options)', (value) => store.head(key, value), optional],
    ['put(key)', (value) => store.put(value, piece(bytes))],
    ['put(source)', (value) => store.put(key, value)],
    ['put(options)', (value) => store.put(key, piece(bytes), value), optional],
    ['delete(key)', (value) => store.delete(value)],
    ['delete(options)', (value) => store.delete(key, value), optional],
    ['list(folder)', (value) => store.list(value)],
    ['list(options)', (value) => store.list('a', value), optional],
    ['folders(folder)', (value) => store.folders(value)],
    ['folders(options)', (value) => store.folders('a', value), optional],
    ['describe(options)', (value) => store.describe(value), optional],
  ];
  it.each(calls.map(([what, call, right]) => ({ what, call, right })))(
    '$what',
    async ({ what, call, right }) => {
      await expectAllRefused(what, call, right);
    },
  );
});
