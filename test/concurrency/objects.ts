/*
 * Many writers, and many readers, of one object.
 */
import {
  type ByteRange,
  type DecryptedObject,
  type Namespace,
  type PutOptions,
  type PutResult,
} from '../../src/index.js';
import { Rng } from '../support/rng.js';
import { type Commit } from '../support/scheduled-store.js';
import { type Outcome } from '../support/scheduler.js';
import { check, checkSame, codeOf, oneShot, type Scenario, type ScheduledWorld, valueOf } from './explore.js';

const name = 'contended';
const crowd = 64;
const numbers = Array.from({ length: crowd }, (_, i) => i);

/** No two are alike, in length either: two to four chunks of 16 KiB. */
const bodies = numbers.map((id) => new Rng(id).bytes(30_000 + id * 401));
const bodyOf = (id: number): Uint8Array => bodies[id] ?? new Uint8Array(0);

/** Handles of three processes on one namespace. */
async function processesOf(world: ScheduledWorld): Promise<readonly Namespace[]> {
  const first = await world.keybound.create('acme', { key: 'local://acme' });
  return [first, await world.another().open('acme'), await world.another().open('acme')];
}

/** What lay under the name, one after the other. */
const historyOf = ({ store }: ScheduledWorld): Commit[] =>
  store.commits.filter(({ key }) => key.name === name);

interface Writer {
  readonly id: number;
  readonly options: PutOptions;
}

const put = (
  world: ScheduledWorld,
  processes: readonly Namespace[],
  { id, options }: Writer,
): Promise<PutResult> => {
  const { rng } = world.scheduler;
  const bytes = bodyOf(id);
  return rng.pick(processes).put(name, rng.below(2) === 0 ? bytes : oneShot(bytes), options);
};

/** Whose body each version is. Throws unless every writer succeeded, or failed as its condition allows. */
function acknowledged(
  writers: readonly Writer[],
  outcomes: Readonly<Record<string, Outcome<PutResult>>>,
): Map<string, Writer> {
  const byVersion = new Map<string, Writer>();
  for (const writer of writers) {
    const { id, options } = writer;
    const outcome = outcomes[`writer ${String(id)}`];
    const refusals = [
      ...(options.ifAbsent === true ? (['object-exists'] as const) : []),
      ...(options.ifVersion === undefined ? [] : (['precondition-failed'] as const)),
    ];
    if (codeOf(outcome, refusals) !== undefined) continue;
    const { version, size } = valueOf(outcome);
    check(size === bodyOf(id).length, `writer ${String(id)} was told another size`);
    check(!byVersion.has(version), `writer ${String(id)} was told the version of another`);
    byVersion.set(version, writer);
  }
  return byVersion;
}

/** What was stored is what was acknowledged, and each condition held at the moment in which it counted. */
function checkHistory(
  history: readonly Commit[],
  won: ReadonlyMap<string, Writer>,
  before: string | null,
): void {
  check(history.length === won.size, `${String(won.size)} acknowledged, ${String(history.length)} stored`);
  let previous = before;
  for (const { version } of history) {
    const writer = won.get(version ?? '');
    check(writer !== undefined, 'a version was stored that nobody was told of');
    const { ifAbsent, ifVersion } = writer.options;
    check(ifAbsent !== true || previous === null, `writer ${String(writer.id)} replaced, with ifAbsent`);
    check(
      ifVersion === undefined || previous === ifVersion,
      `writer ${String(writer.id)} replaced another version`,
    );
    previous = version;
  }
}

/** `optionsOf` gives a writer's condition, also by the version that is there before, if there is to be one. */
function writers(
  wins: number | 'some',
  optionsOf: (rng: Rng, first: string) => PutOptions,
  begin: 'absent' | 'present' = 'present',
): Scenario {
  return {
    play: async (world) => {
      const processes = await processesOf(world);
      const [acme] = processes;
      const first = begin === 'absent' ? null : ((await acme?.put(name, bodyOf(0)))?.version ?? null);
      const before = historyOf(world).length;
      const all = numbers.map((id) => ({ id, options: optionsOf(world.scheduler.rng, first ?? '') }));
      const outcomes = await world.scheduler.run(
        Object.fromEntries(all.map((one) => [`writer ${String(one.id)}`, () => put(world, processes, one)])),
      );
      const won = acknowledged(all, outcomes);
      const history = historyOf(world).slice(before);
      checkHistory(history, won, first);
      check(wins === 'some' || won.size === wins, `${String(won.size)} won instead of ${String(wins)}`);
      const version = history.at(-1)?.version ?? first;
      for (const process of processes) {
        const found = await process.get(name);
        check(found.version === version, 'what is found is not what was stored last');
        checkSame(await found.bytes(), bodyOf(won.get(found.version)?.id ?? 0), 'the object');
      }
    },
  };
}

export const plainWriters = writers(crowd, () => ({}));
export const creators = writers(1, () => ({ ifAbsent: true }), 'absent');
export const replacers = writers(1, (_, ifVersion) => ({ ifVersion }));
export const mixedWriters = writers('some', (rng, ifVersion) =>
  rng.pick([{}, { ifAbsent: true }, { ifVersion }, { ifVersion }]),
);

/** How a reader reads, and what of a body it must then have. */
interface Reading {
  readonly read: (acme: Namespace) => Promise<DecryptedObject>;
  readonly partOf: (all: Uint8Array) => Uint8Array;
}

const whole: Reading = { read: (acme) => acme.get(name), partOf: (all) => all };

const ranged = (range: ByteRange, partOf: Reading['partOf']): Reading => ({
  read: (acme) => acme.get(name, { range }),
  partOf,
});

function readingOf(rng: Rng): Reading {
  const start = rng.below(30_000);
  const end = start + rng.below(20_000);
  const suffix = rng.below(40_000);
  return rng.pick([
    whole,
    ranged({ start, end }, (all) => all.subarray(start, end)),
    ranged({ start }, (all) => all.subarray(start)),
    ranged({ suffix }, (all) => all.subarray(Math.max(0, all.length - suffix))),
  ]);
}

type Write = 'put' | 'delete';

/** Readers get exactly the bytes of the one version they were told of, or are told that there is none, or that it went. */
export const readers: Scenario = {
  play: async (world) => {
    const { scheduler } = world;
    const { rng } = scheduler;
    const processes = await processesOf(world);
    const [acme] = processes;
    const first = await acme?.put(name, bodyOf(0));
    const whose = new Map([[first?.version, 0]]);
    const readVersions: (readonly [
      what: string,
      version: string | undefined,
      check: (all: Uint8Array) => void,
    ])[] = [];

    async function read(what: string): Promise<void> {
      const process = rng.pick(processes);
      if (rng.below(6) === 0) {
        const { version, unauthenticatedSize } = await process.head(name);
        const sized = (all: Uint8Array): void => {
          check(all.length === unauthenticatedSize, `${what} was told another size`);
        };
        readVersions.push([what, version, sized]);
        return;
      }
      const { read: open, partOf } = readingOf(rng);
      const object = await open(process);
      const bytes = await object.bytes();
      readVersions.push([
        what,
        object.version,
        (all) => {
          check(object.size === all.length, `${what} was told another size`);
          checkSame(bytes, partOf(all), what);
        },
      ]);
    }

    async function write(id: number): Promise<void> {
      const kind: Write = rng.pick(['put', 'put', 'delete']);
      if (kind === 'delete') await rng.pick(processes).delete(name);
      else whose.set((await put(world, processes, { id, options: {} })).version, id);
    }

    const readerNames = numbers.map((id) => `reader ${String(id)}`);
    const writerNames = numbers.slice(1, 13).map((id) => [`writer ${String(id)}`, id] as const);
    const outcomes = await scheduler.run(
      Object.fromEntries<() => Promise<void>>([
        ...readerNames.map((what) => [what, () => read(what)] as const),
        ...writerNames.map(([what, id]) => [what, () => write(id)] as const),
      ]),
    );
    for (const what of readerNames) codeOf(outcomes[what], ['object-not-found', 'object-changed']);
    for (const [what] of writerNames) valueOf(outcomes[what]);
    for (const [what, version, checkAgainst] of readVersions) {
      const id = whose.get(version);
      check(id !== undefined, `${what} was told a version that nobody stored`);
      checkAgainst(bodyOf(id));
    }
  },
};
