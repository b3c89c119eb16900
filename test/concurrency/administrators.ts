/*
 * Eight processes that create, suspend, resume and rotate one namespace, while they put and get in it.
 */
import { type Keybound, type Namespace } from '../../src/index.js';
import { type BindingStatus, parseBindingPayload } from '../../src/format/binding-payload.js';
import { parseObjectHeader } from '../../src/format/object-header.js';
import { base64url } from '../../src/internal/bytes.js';
import { namespacesFolder } from '../../src/storage/layout.js';
import { Rng } from '../support/rng.js';
import { join } from '../support/bytes.js';
import { type Commit } from '../support/scheduled-store.js';
import { isObject } from '../support/stores.js';
import {
  check,
  checkSame,
  codeOf,
  oneShot,
  outcomeOf,
  type Scenario,
  type ScheduledWorld,
  valueOf,
} from './explore.js';
import { type Call, refusals } from './refusals.js';

const leaseMs = 30_000;
const processCount = 8;
/** By each of the two hands of a process. */
const actionsEach = 3;

/** What the chain said from some moment on. */
interface State {
  readonly at: number;
  readonly epoch: number;
  readonly status: BindingStatus;
  /** The active one. */
  readonly generation: number;
}

/** Every state of the chain, from when its epoch was stored. */
function statesOf(commits: readonly Commit[]): State[] {
  return commits
    .filter(({ key }) => key.folder.endsWith('/bindings'))
    .map(({ at, bytes }) => {
      // What the library wrote; the chain is verified elsewhere.
      const { payload } = JSON.parse(Buffer.from(bytes).toString()) as { payload: string };
      const { epoch, status, generations } = parseBindingPayload(base64url.decode(payload));
      return { at, epoch, status, generation: generations.at(-1)?.number ?? 0 };
    });
}

/**
 * Whether a lease that was live at `at` can have been obtained in a state that `fits`: the bound within which a
 * suspension or rotation reaches every process.
 */
function leasedAt(states: readonly State[], at: number, fits: (state: State) => boolean): boolean {
  return states.some((state, i) => {
    const end = states[i + 1]?.at ?? Infinity;
    return state.at <= at && end > at - leaseMs && fits(state);
  });
}

/** An object whose put was acknowledged. */
interface Kept {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly version: string;
  /** The newest epoch that its process had made when it began to put. */
  readonly since: number;
}

interface Story {
  readonly world: ScheduledWorld;
  readonly kept: Kept[];
  /** When plaintext of which object was given out. */
  readonly given: { readonly at: number; readonly name: string }[];
  /** Epochs that a process reported to have made. */
  readonly made: { readonly epoch: number; readonly verb: string }[];
}

/** What calls came to so far, such as `rotate: namespace-changed`, and how often. */
export const met = new Map<string, number>();

/** What the call gives, or null if it fails as the documents say that it may. */
async function attempt<T>(call: Call, work: () => Promise<T>): Promise<T | null> {
  const outcome = await outcomeOf(work);
  // A pause as long as a lease, whenever a key is unwrapped, is a KMS that does not answer in time.
  const code = codeOf(outcome, [...refusals[call], 'unavailable']);
  const what = `${call}: ${code ?? 'done'}`;
  met.set(what, (met.get(what) ?? 0) + 1);
  return code === undefined ? valueOf(outcome) : null;
}

const verbs = ['suspend', 'resume', 'resume', 'rotate', 'rotate'] as const;
const actions = [...verbs, 'put', 'put', 'put', 'get', 'get', 'get', 'record'] as const;

class Process {
  readonly #story: Story;
  readonly #keybound: Keybound;
  readonly #name: string;
  #acme: Promise<Namespace> | undefined;
  /** The newest epoch that it made itself, and so knows of. */
  #knows = 0;
  #puts = 0;

  constructor(story: Story, name: string) {
    this.#story = story;
    this.#name = name;
    this.#keybound = story.world.another({
      onEvent: (event) => {
        if (event.type === 'binding-changed') story.made.push(event);
      },
    });
  }

  purge(): void {
    this.#keybound.purge();
  }

  open(): Promise<Namespace> {
    return this.#keybound.open('acme');
  }

  /** Two of these run at once, and share the leases of their process. */
  async run(): Promise<void> {
    const acme = await this.#begun();
    for (let i = 0; i < actionsEach; i++) await this.#act(acme);
  }

  #begun(): Promise<Namespace> {
    this.#acme ??= this.#begin();
    return this.#acme;
  }

  async #begin(): Promise<Namespace> {
    const { rng } = this.#story.world.scheduler;
    const early = rng.below(2) === 0 ? await attempt('open', () => this.open()) : null;
    if (early !== null) return early;
    const create = (): Promise<Namespace> => this.#keybound.create('acme', { key: 'local://acme' });
    return (await attempt('create', create)) ?? this.open();
  }

  #act(acme: Namespace): Promise<void> {
    const action = this.#story.world.scheduler.rng.pick(actions);
    if (action === 'put') return this.#put(acme);
    if (action === 'get') return this.#get(acme);
    if (action === 'record') return this.#record(acme);
    return this.#change(acme, action);
  }

  async #change(acme: Namespace, verb: (typeof verbs)[number]): Promise<void> {
    const description = await attempt(verb, () => acme[verb]());
    this.#knows = Math.max(this.#knows, description?.epoch ?? 0);
  }

  async #put(acme: Namespace): Promise<void> {
    const { kept, world } = this.#story;
    const { rng } = world.scheduler;
    const name = `${this.#name}, object ${String(this.#puts++)}`;
    const bytes = new Rng(rng.below(1e9)).bytes(rng.below(50_000));
    const since = this.#knows;
    const source = rng.below(2) === 0 ? bytes : oneShot(bytes);
    const stored = await attempt('put', () => acme.put(name, source));
    if (stored !== null) kept.push({ name, bytes, version: stored.version, since });
  }

  async #get(acme: Namespace): Promise<void> {
    const { world, kept, given } = this.#story;
    if (kept.length === 0) return;
    const { name, bytes, version } = world.scheduler.rng.pick(kept);
    await attempt('get', async () => {
      const object = await acme.get(name);
      check(object.version === version, `${name} is of another version than was acknowledged`);
      const pieces: Uint8Array[] = [];
      for await (const piece of object) {
        given.push({ at: Date.now(), name });
        pieces.push(piece);
      }
      checkSame(join(pieces), bytes, name);
    });
  }

  async #record(acme: Namespace): Promise<void> {
    const value = Uint8Array.of(1, 2, 3);
    const record = await attempt('record', () => acme.encryptRecord('record', value));
    if (record === null) return;
    const opened = await attempt('record', () => acme.decryptRecord('record', record));
    if (opened !== null) checkSame(opened, value, 'a record');
  }
}

/** No object was completed, and no plaintext given, but under a lease that could still be live. */
function checkLeases({ world, kept, given }: Story, states: readonly State[]): void {
  for (const { key, bytes, version, lastByteAt } of world.store.commits) {
    if (!isObject(key)) continue;
    const generation = parseObjectHeader(bytes)?.generation;
    const own = kept.find((one) => one.name === key.name && one.version === version);
    check(own !== undefined, `${key.name} was stored, and nobody was told`);
    const fits = (state: State): boolean =>
      state.status === 'active' && state.generation === generation && state.epoch >= own.since;
    check(leasedAt(states, lastByteAt, fits), `${key.name} was stored under a lease that must have ended`);
  }
  for (const { at, name } of given) {
    const live = leasedAt(states, at, ({ status }) => status === 'active');
    check(live, `${name} was given out under a lease that must have ended`);
  }
}

/** The chain holds for a process that never saw it; each epoch was made by one, and nothing of those who lost is left. */
async function checkChain({ world, made }: Story, states: readonly State[]): Promise<Namespace> {
  const acme = await world.another().open('acme');
  const { epoch, generations } = await acme.describe();
  check(states.at(-1)?.epoch === epoch, 'a new reader does not see the newest epoch');
  for (let number = 1; number <= epoch; number++) {
    const by = made.filter((one) => one.epoch === number).map(({ verb }) => verb);
    // Two that say the very same in the same millisecond, as suspend and resume may, have both said it.
    const one =
      by.length === 1 ||
      (by.length > 1 && ['suspend', 'resume'].includes(new Set(by).size === 1 ? (by[0] ?? '') : ''));
    check(one, `epoch ${String(number)} was reported as made by: ${by.join(', ')}`);
  }
  for (const { number } of generations) {
    const folder = `${namespacesFolder(world.config.registry)}/acme/wraps/${String(number)}`;
    const { entries } = await world.store.list(folder);
    check(entries.length === 1, `generation ${String(number)} has ${String(entries.length)} wraps`);
  }
  return acme;
}

const value = Uint8Array.of(1);

/** A suspension reaches a process at once if its leases are purged, and every other one when they have lapsed. */
async function checkSuspension(
  { world, kept }: Story,
  acme: Namespace,
  processes: readonly Process[],
): Promise<void> {
  const handles: Namespace[] = [];
  for (const process of processes) {
    process.purge();
    const handle = await process.open();
    await handle.encryptRecord('begins its lease', value);
    handles.push(handle);
  }
  const [kept0] = kept;
  const refused = async (handle: Namespace | undefined): Promise<boolean> => {
    const uses = [
      await outcomeOf(async () => handle?.encryptRecord('too late', value)),
      ...(kept0 === undefined ? [] : [await outcomeOf(async () => handle?.get(kept0.name))]),
    ];
    return uses.every((outcome) => codeOf(outcome, ['namespace-suspended']) !== undefined);
  };
  await acme.suspend();
  processes[0]?.purge();
  world.scheduler.pass(leaseMs - 1);
  check(await refused(handles[0]), 'a process went on after its leases were purged');
  check(!(await refused(handles[1])), 'a lease ended before its time');
  world.scheduler.pass(1);
  for (const handle of handles) check(await refused(handle), 'a process went on after its lease lapsed');
}

/** All that was acknowledged is there, and under a generation that the chain names: no other opens. */
async function checkKept({ kept }: Story, acme: Namespace): Promise<void> {
  for (const { name, bytes } of kept) checkSame(await (await acme.get(name)).bytes(), bytes, name);
}

export const administrators: Scenario = {
  options: { pauses: 25, pausesMs: [500, 10_000, leaseMs] },
  play: async (world) => {
    const story: Story = { world, kept: [], given: [], made: [] };
    const names = Array.from({ length: processCount }, (_, i) => `process ${String(i)}`);
    const processes = names.map((name) => new Process(story, name));
    const tasks = processes.flatMap((process, i) =>
      ['a', 'b'].map((hand) => [`process ${String(i)}${hand}`, () => process.run()] as const),
    );
    const outcomes = await world.scheduler.run(Object.fromEntries(tasks));
    for (const [name] of tasks) valueOf(outcomes[name]);
    const states = statesOf(world.store.commits);
    if (states.length === 0) return;
    checkLeases(story, states);
    const acme = await checkChain(story, states);
    await acme.resume();
    await checkKept(story, acme);
    await checkSuspension(story, acme, processes.slice(0, 3));
    await acme.resume();
    await checkKept(story, acme);
  },
};
