/*
 * The fuzzer for a fixed time, guided by coverage: KEYBOUND_FUZZ_SECONDS in all, from a seed that is new each time unless
 * KEYBOUND_FUZZ_SEED names it. What it finds is written to test/fuzz/found and fails the run.   test/fuzz/README.md
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleWorker } from '../fuzz/engine/bundle.js';
import { keep } from '../fuzz/engine/found.js';
import { fuzz, report } from '../fuzz/engine/keeper.js';
import { targets } from '../fuzz/targets/index.js';

const {
  KEYBOUND_FUZZ_SECONDS,
  KEYBOUND_FUZZ_SEED,
  KEYBOUND_FUZZ_TARGET: only,
  KEYBOUND_FUZZ_BLIND: blind,
} = process.env;
const seconds = Number(KEYBOUND_FUZZ_SECONDS ?? 120);
const seed = Number(KEYBOUND_FUZZ_SEED ?? Date.now() % 2 ** 31);
const names = Object.keys(targets).filter((name) => only === undefined || name === only);
/** Two cores are the least that CI has. */
const atOnce = 2;
const forMs = (seconds * 1000 * atOnce) / Math.max(names.length, atOnce);

const lanes = Array.from({ length: atOnce }, () => Promise.resolve<unknown>(undefined));
let started = 0;

/** At most so many at once. */
function inLane<T>(work: () => Promise<T>): Promise<T> {
  const lane = started++ % atOnce;
  const run = (lanes[lane] ?? Promise.resolve()).then(work);
  lanes[lane] = run.catch(() => undefined);
  return run;
}

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleWorker(blind === undefined);
});
afterAll(() => {
  bundle.remove();
});

describe.concurrent(
  `for ${String(seconds)} s from seed ${String(seed)}`,
  { timeout: seconds * 2000 + 120_000 },
  () => {
    it.each(names)('%s fails only as it should', async (target) => {
      const outcome = await inLane(() => fuzz(bundle, target, seed, forMs));
      const { runs, accepted, reached, corpus, found } = outcome;
      process.stdout.write(
        `${target}: ${String(runs)} inputs, ${String(accepted)} accepted, ${String(reached)} branches, ${String(corpus)} kept\n`,
      );
      const reports = found.map((one) => `${report(target, seed, one)}\nkept as ${keep(target, one)}`);
      expect(reports).toEqual([]);
      expect(runs).toBeGreaterThan(0);
    });
  },
);
