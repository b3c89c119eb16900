/*
 * A process that works until it is killed: `child.mjs <task.json>`. It tells of everything on its standard output, which
 * is a file: that it begins, before; and that it is done, after the promise resolved. File descriptor 3 learns when all
 * is open.
 */
import { readFileSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import { KeyboundError, type Namespace, openKeybound } from '../../../src/index.js';
import { localKeyring } from '../../../src/keys/providers/local/index.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { Rng } from '../../support/rng.js';
import {
  adminNamespaces,
  type Administered,
  type Begun,
  bodyOf,
  dataNamespaces,
  type Line,
  now,
  passphrase,
  readBody,
  type Task,
  workFactor,
} from './work.js';

// The parent wrote it.
const task = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Task;
const rng = new Rng(task.seed);
const keyring = localKeyring(join(task.folder, 'keyring.age'), { passphrase, workFactor });
const keybound = openKeybound({
  ...task.config,
  regions: { eu: { store: fileStore(join(task.folder, 'store')), keyLocations: ['local'] } },
  keys: [keyring],
});

const tell = (line: Line): void => void writeSync(1, `${JSON.stringify(line)}\n`);

type Done = Omit<Extract<Line, { phase: 'done' }>, 'phase' | 'at' | 'id'>;

let ids = 0;
async function perform(begun: Begun, work: (id: string) => Promise<Done>, id = newId()): Promise<void> {
  tell({ phase: 'begin', at: now(), id, begun });
  try {
    const done = await work(id);
    tell({ phase: 'done', at: now(), id, ...done });
  } catch (error) {
    const known = error instanceof KeyboundError;
    tell({ phase: 'failed', at: now(), id, error: known ? error.code : String(error) });
  }
}
const newId = (): string => `${String(task.process)}.${String(ids++)}`;

const open = new Map<string, Namespace>();
async function namespace(id: string): Promise<Namespace> {
  const known = open.get(id) ?? (await keybound.open(id));
  open.set(id, known);
  return known;
}

/** Mostly small, so that much happens; some so large that a kill finds them half written. */
function someSize(): number {
  const dice = rng.below(10);
  if (dice < 7) return rng.below(40_000);
  return dice < 9 ? rng.below(400_000) : 1_000_000 + rng.below(4_000_000);
}

async function* slowly(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) {
    yield bytes.subarray(at, at + 100_000);
    await turn();
  }
}

const named = (name: string): string => `object ${rng.pick(dataNamespaces)} ${name}`;
const place = (target: string): readonly [id: string, name: string] => {
  const [, id = '', name = ''] = target.split(' ');
  return [id, name];
};
/** Of every kind: kept under its own name, and under a hash of it. */
const someName = (): string =>
  rng.pick(['a', 'b', 'c', 'd', 'e', `${'LONG'.repeat(60)}-1`, `${'LONG'.repeat(60)}-2`]);

async function put(verb: string, target: string, options: { ifAbsent?: boolean } = {}): Promise<void> {
  const id = newId();
  const body = bodyOf(id, someSize());
  const [namespaceId, name] = place(target);
  await perform(
    { verb, target, sets: id },
    async () => {
      const source = body.length > 500_000 ? slowly(body) : body;
      await (await namespace(namespaceId)).put(name, source, { ...options, pairs: { id } });
      return {};
    },
    id,
  );
}

async function increment(): Promise<void> {
  const target = named('counter');
  const [namespaceId, name] = place(target);
  const counters = await namespace(namespaceId);
  const found = await counters.get(name).catch((error: unknown) => {
    if (error instanceof KeyboundError && error.code === 'object-not-found') return null;
    throw error;
  });
  const count = found === null ? 1 : readBody(await found.bytes()).count + 1;
  const condition = found?.version === undefined ? { ifAbsent: true } : { ifVersion: found.version };
  const id = newId();
  await perform(
    { verb: 'increment', target, sets: id, count },
    async () => {
      await counters.put(name, bodyOf(id, 1000, count), { ...condition, pairs: { id } });
      return {};
    },
    id,
  );
}

async function remove(): Promise<void> {
  const target = named(someName());
  const [namespaceId, name] = place(target);
  await perform({ verb: 'delete', target, sets: null }, async () => {
    await (await namespace(namespaceId)).delete(name);
    return {};
  });
}

/** While others are being killed: whatever is there is whole. */
async function read(): Promise<void> {
  const target = named(someName());
  const [namespaceId, name] = place(target);
  await perform({ verb: 'read', target, sets: null }, async () => {
    const found = await (await namespace(namespaceId)).get(name);
    readBody(await found.bytes());
    return { idle: true };
  });
}

async function administer(verb: 'rotate' | 'suspend' | 'resume'): Promise<void> {
  const id = rng.pick(verb === 'rotate' ? [...adminNamespaces, ...dataNamespaces] : adminNamespaces);
  await perform({ verb, target: `namespace ${id}`, sets: null }, async () => ({
    administered: administeredOf(await (await namespace(id))[verb]()),
  }));
}

async function create(): Promise<void> {
  const id = `made-${String(task.batch)}-${String(rng.below(4))}`;
  await perform({ verb: 'create', target: `namespace ${id}`, sets: null }, async () => ({
    administered: administeredOf(await (await keybound.create(id, { key: 'local://tenant' })).describe()),
  }));
}

function administeredOf({
  epoch,
  trust,
  generations,
}: Awaited<ReturnType<Namespace['describe']>>): Administered {
  return { epoch, trust, generation: Math.max(...generations.map(({ number }) => number)) };
}

const someKey = (): string => `key-${String(task.batch)}-${String(rng.below(8))}`;
const secret = new Uint8Array(32).fill(7);

async function createKey(): Promise<void> {
  const name = someKey();
  await perform({ verb: 'createKey', target: `key ${name}`, sets: 'enabled' }, async () => {
    await keyring.createKey(name);
    // By the time it answers, another process may have disabled it.
    const blob = await keyring.wrap(`local://${name}`, secret, {}).catch(() => undefined);
    return blob === undefined ? {} : { blob: Buffer.from(blob).toString('hex') };
  });
}

async function turnKey(verb: 'disableKey' | 'enableKey' | 'destroyKey'): Promise<void> {
  const name = someKey();
  const sets = { disableKey: 'disabled', enableKey: 'enabled', destroyKey: 'destroyed' }[verb];
  await perform({ verb, target: `key ${name}`, sets }, async () => {
    await keyring[verb](name);
    return {};
  });
}

const work = {
  objects: [
    () => put('put', named(someName())),
    () => put('put', named(someName())),
    () => put('put', named(someName())),
    () =>
      put('put if absent', named(`once-${String(task.batch)}-${String(rng.below(6))}`), { ifAbsent: true }),
    increment,
    increment,
    remove,
    read,
  ],
  administration: [
    () => administer('rotate'),
    () => administer('rotate'),
    () => administer('suspend'),
    () => administer('resume'),
    create,
    createKey,
    createKey,
    () => turnKey('disableKey'),
    () => turnKey('enableKey'),
    () => turnKey('destroyKey'),
  ],
};

async function forever(verbs: readonly (() => Promise<void>)[]): Promise<never> {
  for (;;) await rng.pick(verbs)();
}

writeSync(3, 'ready');
void Promise.all(Object.values(work).map(forever));
