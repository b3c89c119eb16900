/*
 * The short form of the fuzzer: the same inputs each time, and every input that was ever found. The long one is
 * test/full/fuzz.test.ts; how it works is in README.md.
 */
import { beforeAll, expect, it } from 'vitest';
import { bundleWorker } from './engine/bundle.js';
import { type Outcome } from './engine/campaign.js';
import { givenInput, keptInputs } from './engine/found.js';
import { report, runTasks } from './engine/keeper.js';
import { targets } from './targets/index.js';

const seed = 1;
const { KEYBOUND_FUZZ_TARGET: only, KEYBOUND_FUZZ_INPUT: given } = process.env;
const names = Object.keys(targets).filter((name) => only === undefined || name === only);
const kept = keptInputs();

const works =
  given === undefined
    ? [
        ...names.map((target) => ({ what: 'fails only as it should', target, plan: { seed, short: true } })),
        ...kept.map(({ file, target, input }) => ({
          what: `survives ${file}`,
          target,
          plan: { seed },
          replay: [input],
        })),
      ]
    : names.map((target) => ({
        what: 'survives what is given',
        target,
        plan: { seed },
        replay: [givenInput(given)],
      }));

let outcomes: readonly Outcome[];
beforeAll(async () => {
  const bundle = await bundleWorker(false);
  try {
    outcomes = await runTasks(bundle, works);
  } finally {
    bundle.remove();
  }
}, 120_000);

it.each(works.map(({ target, what, plan }, i) => [target, what, plan, i] as const))(
  '%s %s',
  (target, _, plan, i) => {
    const { accepted, found } = outcomes[i] ?? {};
    expect(found?.map((one) => report(target, seed, one))).toEqual([]);
    // A target that refuses everything tests nothing.
    expect(accepted).toBeGreaterThanOrEqual('short' in plan ? 1 : 0);
  },
);

it('knows the target of every input that was found', () => {
  expect(kept.filter(({ target }) => !Object.hasOwn(targets, target))).toEqual([]);
});
