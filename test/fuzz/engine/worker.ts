/*
 * Runs targets, in a thread that its keeper can end whatever it does.
 */
import './allocations.js';
import { parentPort, workerData } from 'node:worker_threads';
import { targets } from '../targets/index.js';
import { campaign, type Found, type Outcome, type Plan } from './campaign.js';
import { Guide } from './guide.js';
import { Runs } from './runs.js';
import { Blackboard } from './shared.js';

/** What is to be done with one target. */
export interface Work {
  readonly target: string;
  readonly plan: Plan;
  /** Only these, one after the other. */
  readonly replay?: readonly Uint8Array[];
}

/** What a worker is given: it posts one outcome for each. */
export interface Task {
  readonly memory: SharedArrayBuffer;
  readonly works: readonly Work[];
}

async function outcomeOf({ target: name, plan, replay }: Work, board: Blackboard): Promise<Outcome> {
  const make = targets[name];
  if (make === undefined) throw new Error(`there is no target ${name}`);
  const target = await make();
  const runs = new Runs(target, board);
  if (replay === undefined) {
    const guide = globalThis.fuzzEdges === undefined ? null : new Guide(globalThis.fuzzEdges);
    return campaign(target, runs, guide, plan);
  }
  const found: Found[] = [];
  for (const input of replay) {
    const fault = await runs.run(input);
    if (fault !== null) found.push({ ...fault, input });
  }
  return { runs: runs.count, accepted: runs.accepted, reached: 0, corpus: 0, found };
}

async function work({ memory, works }: Task): Promise<void> {
  const board = new Blackboard(memory);
  for (const one of works) parentPort?.postMessage(await outcomeOf(one, board));
}

// Its keeper started it with a task.
void work(workerData as Task);
