/*
 * One target, from its corpus on: pick, mutate, run, keep what is new, until the time or the number of runs is up.
 */
import { Rng } from '../../support/rng.js';
import { mutateBytes } from './bytes.js';
import { type Guide } from './guide.js';
import { type Fault } from './oracles.js';
import { type Runs } from './runs.js';
import { type Mutator, type Target } from './target.js';

export interface Plan {
  readonly seed: number;
  /** Stop after so many milliseconds, or so many runs. */
  readonly forMs?: number;
  readonly runs?: number;
  /** As many runs as the target says for the short form. */
  readonly short?: boolean;
  /** Continue after the first fault. */
  readonly goOn?: boolean;
}

export interface Found extends Fault {
  readonly input: Uint8Array;
}

export interface Outcome {
  readonly runs: number;
  /** Inputs that were no error. */
  readonly accepted: number;
  readonly reached: number;
  readonly corpus: number;
  readonly found: readonly Found[];
}

const defaultMaxLength = 64 * 1024;
const defaultShortRuns = 200;
const recent = 8;
/** So many different faults of one target are enough. */
const maxFound = 8;

/** A number of its own for each seed and input. */
const seedOf = (seed: number, i: number): number =>
  (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(i, 0xc2b2ae35)) >>> 0;

/** Inputs that led somewhere new, of which those that were no error lead further more often. */
interface Corpus {
  readonly all: Uint8Array[];
  readonly accepted: Uint8Array[];
}

/** What to alter: half the time one of those given; short ones, which are quick, more often. */
function baseOf(target: Target, { all, accepted }: Corpus, rng: Rng): Uint8Array {
  const learnt = accepted.length > 0 && rng.below(2) === 0 ? accepted.slice(-recent) : all;
  const from = rng.below(2) === 0 ? target.corpus : learnt;
  const [one, other] = [rng.pick(from), rng.pick(from)];
  return other.length < one.length && rng.below(4) > 0 ? other : one;
}

function mutant(target: Target, corpus: Corpus, rng: Rng): Uint8Array {
  const own = target.mutators ?? [];
  let out = baseOf(target, corpus, rng);
  for (let left = rng.pick([1, 1, 2, 3]); left > 0; left--) {
    const mutate: Mutator = own.length > 0 && rng.below(3) > 0 ? rng.pick(own) : mutateBytes;
    out = mutate(out, rng, corpus.all);
  }
  return out.slice(0, target.maxLength ?? defaultMaxLength);
}

export async function campaign(
  target: Target,
  runs: Runs,
  guide: Guide | null,
  plan: Plan,
): Promise<Outcome> {
  const { seed, forMs = Infinity, goOn = false } = plan;
  const count = plan.runs ?? (plan.short === true ? (target.shortRuns ?? defaultShortRuns) : Infinity);
  const corpus: Corpus = { all: [...target.corpus], accepted: [] };
  const found = new Map<string, Found>();
  const ends = performance.now() + forMs;
  for (let i = 0; i < count && performance.now() < ends; i++) {
    const input = target.corpus[i] ?? mutant(target, corpus, new Rng(seedOf(seed, i)));
    guide?.begin();
    const before = runs.accepted;
    const fault = await runs.run(input);
    const fresh = guide?.learns() === true;
    if (fault === null) {
      if (fresh && i >= target.corpus.length) {
        corpus.all.push(input);
        if (runs.accepted > before) corpus.accepted.push(input);
      }
      continue;
    }
    if (found.has(fault.key)) continue;
    found.set(fault.key, { ...fault, input: await runs.minimise(input, fault) });
    // What hangs goes on in the background: nothing after it means anything.
    if (!goOn || fault.key === 'hung' || found.size >= maxFound) break;
  }
  return {
    runs: runs.count,
    accepted: runs.accepted,
    reached: guide?.reached ?? 0,
    corpus: corpus.all.length,
    found: [...found.values()],
  };
}
