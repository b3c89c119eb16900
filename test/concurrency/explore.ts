/*
 * Runs a scenario under many seeds. The seed of one that fails is in the error, and KEYBOUND_SEED repeats it.
 */
import { it } from 'vitest';
import { type ErrorCode, KeyboundError } from '../../src/index.js';
import { same } from '../support/bytes.js';
import { type Outcome, Scheduler, type SchedulerOptions } from '../support/scheduler.js';
import { type ScheduledStore, scheduledStore, scheduleKeys } from '../support/scheduled-store.js';
import { makeWorld, type World } from '../support/world.js';

/** A world in which every step waits for its turn. */
export interface ScheduledWorld extends World {
  readonly scheduler: Scheduler;
  readonly store: ScheduledStore;
}

export interface Scenario {
  readonly options?: SchedulerOptions;
  /** Throws if anything came out that should not. */
  readonly play: (world: ScheduledWorld) => Promise<void>;
}

async function scheduledWorld(scheduler: Scheduler): Promise<ScheduledWorld> {
  const store = scheduledStore(scheduler);
  const world = await makeWorld({ store: () => store });
  scheduleKeys(scheduler, world.keys);
  return { ...world, scheduler, store };
}

/** Far more than an interleaving takes on a machine that does nothing else. */
const patienceMs = 2000;

/** How many of the last steps a failure shows. */
const shownSteps = 60;

async function play(scenario: Scenario, seed: number): Promise<void> {
  const scheduler = new Scheduler(seed, scenario.options);
  try {
    await scenario.play(await scheduledWorld(scheduler));
  } catch (cause) {
    const steps = scheduler.trace.slice(-shownSteps).join('\n  ');
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`with KEYBOUND_SEED=${String(seed)}: ${what}\nthe last steps were:\n  ${steps}`, {
      cause,
    });
  } finally {
    scheduler.close();
  }
}

/** One test: the scenario under the seeds from `first` on, or under that of the environment alone. */
export function explore(what: string, scenario: Scenario, count: number, first = 1): void {
  const given = process.env['KEYBOUND_SEED'];
  const seeds = given === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(given)];
  const title = `${what}, in ${String(seeds.length)} interleavings`;
  it(title, { timeout: 30_000 + seeds.length * patienceMs }, async () => {
    for (const seed of seeds) await play(scenario, seed);
  });
}

/** What a call came to, outside of tasks. */
export const outcomeOf = <T>(work: () => Promise<T>): Promise<Outcome<T>> =>
  work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/** A source that can be read once only. */
export async function* oneShot(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 14_000) {
    await Promise.resolve();
    yield bytes.subarray(at, at + 14_000);
  }
}

/** The value of a task that must succeed. */
export function valueOf<T>(outcome: Outcome<T> | undefined): T {
  if (outcome === undefined) throw new Error('the task did not end');
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** The code with which a task failed, undefined if it did not; any error but those allowed is thrown. */
export function codeOf(
  outcome: Outcome<unknown> | undefined,
  allowed: readonly ErrorCode[],
): ErrorCode | undefined {
  if (outcome === undefined) throw new Error('the task did not end');
  if (!('error' in outcome)) return undefined;
  const { error } = outcome;
  if (error instanceof KeyboundError && allowed.includes(error.code)) return error.code;
  throw error;
}

/** For bytes that are compared very often: `expect` would take longer than what it tests. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export const checkSame = (actual: Uint8Array, expected: Uint8Array, what: string): void => {
  check(
    same(actual, expected),
    `${what}: other bytes than expected (${String(actual.length)} of ${String(expected.length)})`,
  );
};
