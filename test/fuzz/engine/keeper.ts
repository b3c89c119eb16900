/*
 * Starts workers and watches over them: one that hangs, or runs out of memory, is ended and its input reported.
 */
import { Worker } from 'node:worker_threads';
import { type Bundle } from './bundle.js';
import { type Found, type Outcome } from './campaign.js';
import { Blackboard } from './shared.js';
import { type Task, type Work } from './worker.js';

/** Twice what the worker itself calls a hang: then it is so busy that it cannot say so. */
const hangMs = 5000;
const heapMb = 1024;
/** For making worlds and inputs small. */
const graceMs = 90_000;
/** A target that hangs that often needs no more proof. */
const maxRounds = 5;

/** What came of the works that a worker got done, and whether it went wrong in the next. */
interface Shift {
  readonly done: readonly Outcome[];
  readonly lost?: Found;
}

function shift(bundle: Bundle, works: readonly Work[]): Promise<Shift> {
  const board = new Blackboard();
  const workerData: Task = { works, memory: board.memory };
  const worker = new Worker(bundle.path, {
    workerData,
    execArgv: ['--enable-source-maps', '--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
    // What targets write goes away with the bundle.
    env: { ...process.env, TMPDIR: bundle.folder },
  });
  const done: Outcome[] = [];
  const patience = performance.now() + works.reduce((sum, { plan }) => sum + (plan.forMs ?? 0) + graceMs, 0);
  return new Promise<Shift>((resolve, reject) => {
    const end = (how: () => void): void => {
      clearInterval(watch);
      worker.unref();
      // What hangs inside the engine's own functions cannot be ended, only left behind.
      const left = new Promise((gone) => setTimeout(gone, 3000).unref());
      void Promise.race([worker.terminate(), left]).then(how);
    };
    const lose = (what: string, key: string): void => {
      const lost = { what, key, input: board.input() };
      end(() => {
        resolve({ done, lost });
      });
    };
    const watch = setInterval(() => {
      if (board.runningMs() >= hangMs) {
        lose(`did not end within ${String(hangMs)} ms, nor let anything else run`, 'hung');
      } else if (performance.now() > patience) {
        end(() => {
          reject(new Error(`the fuzzer itself hangs at ${works[done.length]?.target ?? 'its end'}`));
        });
      }
    }, 100);
    worker.on('message', (outcome: Outcome) => {
      done.push(outcome);
      // After a hang nothing means anything in that thread.
      if (done.length < works.length && !outcome.found.some(({ key }) => key === 'hung')) return;
      end(() => {
        resolve({ done });
      });
    });
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        lose(`took more than ${String(heapMb)} MiB of heap`, 'out of memory');
      } else {
        end(() => {
          reject(error);
        });
      }
    });
  });
}

/** Does works one after the other, in one thread until one of them makes another necessary. */
export async function runTasks(bundle: Bundle, works: readonly Work[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < works.length) {
    const { done, lost } = await shift(bundle, works.slice(outcomes.length));
    outcomes.push(...done);
    if (lost !== undefined) outcomes.push({ runs: 0, accepted: 0, reached: 0, corpus: 0, found: [lost] });
  }
  return outcomes;
}

/** How to see a fault again, for a person. */
export function report(target: string, seed: number, { what, input }: Found): string {
  const hex = Buffer.from(input).toString('hex');
  const shown = hex.length > 4000 ? `${hex.slice(0, 4000)}… (${String(input.length)} bytes)` : hex;
  return (
    `target ${target}, seed ${String(seed)}: ${what}\n` +
    `input (${String(input.length)} bytes): ${shown}\n` +
    `again: KEYBOUND_FUZZ_TARGET=${target} KEYBOUND_FUZZ_INPUT=<hex, or a file of it> npx vitest run test/fuzz`
  );
}

/** Fuzzes a target for so long, anew after each hang. */
export async function fuzz(bundle: Bundle, target: string, seed: number, forMs: number): Promise<Outcome> {
  const ends = performance.now() + forMs;
  const found = new Map<string, Found>();
  let total: Outcome = { runs: 0, accepted: 0, reached: 0, corpus: 0, found: [] };
  for (let round = 0; round < maxRounds && performance.now() < ends; round++) {
    const plan = { seed: seed + round, forMs: ends - performance.now(), goOn: true };
    const [outcome] = await runTasks(bundle, [{ target, plan }]);
    if (outcome === undefined) break;
    for (const one of outcome.found) if (!found.has(one.key)) found.set(one.key, one);
    total = {
      runs: total.runs + outcome.runs,
      accepted: total.accepted + outcome.accepted,
      reached: Math.max(total.reached, outcome.reached),
      corpus: Math.max(total.corpus, outcome.corpus),
      found: [...found.values()],
    };
  }
  return total;
}
