import { expect, it } from 'vitest';
import { giveWay } from '../../src/streams/turns.js';
import { makeWorld } from '../support/world.js';

const MiB = 1024 * 1024;

/** Counts turns of the event loop until it is told to stop. */
function countTurns(): () => number {
  let turns = 0;
  let going = true;
  const next = (): void => {
    turns++;
    if (going) setImmediate(next);
  };
  setImmediate(next);
  return () => {
    going = false;
    return turns;
  };
}

/** Keeps the processor busy for a millisecond. */
function work(): void {
  const start = performance.now();
  while (performance.now() - start < 1);
}

it('lets others have their turn while an array is encrypted and decrypted into memory', async () => {
  const { keybound } = await makeWorld();
  const acme = await keybound.create('acme', { key: 'local://acme' });
  const encrypting = countTurns();
  const encrypted = await (await acme.encryptStream('name', new Uint8Array(48 * MiB))).bytes();
  expect(encrypting()).toBeGreaterThan(3);
  const decrypting = countTurns();
  expect(await (await acme.decryptStream('name', encrypted)).bytes()).toHaveLength(48 * MiB);
  expect(decrypting()).toBeGreaterThan(3);
});

it('gives each of many that work at once as many turns as the others', async () => {
  const steps = 40;
  const done = [0, 0, 0, 0];
  const fewest: number[] = [];
  await Promise.all(
    done.map(async (_, worker) => {
      for (let step = 0; step < steps; step++) {
        await giveWay();
        work();
        done[worker] = step + 1;
      }
      fewest.push(Math.min(...done));
    }),
  );
  // When the first of them was ready, the others nearly were.
  expect(fewest[0]).toBeGreaterThan(steps / 2);
});

it('does not make anyone wait who has only just begun', async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(giveWay()).toBeUndefined();
});
