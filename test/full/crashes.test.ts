import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Checker } from './crashes/check.js';
import { Kills } from './crashes/kills.js';

const folder = mkdtempSync(join(tmpdir(), 'keybound-crashes-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** How many processes are killed. */
const kills = Number(process.env['KEYBOUND_KILLS'] ?? 200);
/** After so many, all are dead for a moment, and everything is looked at. */
const batchSize = 10;
/** Where some of two hundred kills land, on any machine. */
const places = [
  ...[
    'put',
    'put if absent',
    'delete',
    'increment',
    'rotate',
    'suspend',
    'resume',
    'create',
    'createKey',
  ].map((verb) => `during ${verb}`),
  ...['a file staged', 'a lock held'].map((what) => `left ${what}`),
];

it('loses nothing that was acknowledged, and leaves nothing behind, when writers are killed', async () => {
  const begun = performance.now();
  const killing = await Kills.in(folder, 1, 1500);
  const checker = new Checker(folder, killing.config);
  for (let done = 0; done < kills; done += batchSize) {
    await checker.check(await killing.batch(Math.min(batchSize, kills - done)));
  }
  const strays = await checker.checkGoingOn();
  const { writes, administered, keys } = checker.acknowledged;
  const where = [...killing.landed]
    .sort(([, a], [, b]) => b - a)
    .map(([place, times]) => `${String(times)} ${place}`);
  // eslint-disable-next-line no-console -- the measure of how hard this was
  console.log(
    `${String(kills)} kills in ${((performance.now() - begun) / 1000).toFixed(0)} s. ` +
      `Acknowledged and found: ${String(writes)} writes, ${String(administered)} administrative changes, ` +
      `${String(keys)} changes of keys. ` +
      `Wraps left that no binding names: ${String(strays)}. Kills landed:\n  ${where.join('\n  ')}`,
  );
  // At most the one of the rotation or creation that each process was at.
  expect(strays).toBeLessThanOrEqual(kills);
  // Else the machine was too busy for this to say much.
  expect(Math.min(writes, administered, keys)).toBeGreaterThan(kills / 10);
  if (kills >= 200) expect([...killing.landed.keys()]).toEqual(expect.arrayContaining(places));
});
