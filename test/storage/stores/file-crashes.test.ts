import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Checker } from '../../full/crashes/check.js';
import { Kills } from '../../full/crashes/kills.js';

const folder = mkdtempSync(join(tmpdir(), 'keybound-crashes-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

// 200 kills: test/full/crashes.test.ts
it('loses nothing that was acknowledged, and leaves nothing behind, when a dozen writers are killed', async () => {
  const killing = await Kills.in(folder, 2, 500);
  const checker = new Checker(folder, killing.config);
  for (let batch = 0; batch < 2; batch++) await checker.check(await killing.batch(6));
  await checker.checkGoingOn();
  const { writes, administered, keys } = checker.acknowledged;
  expect(writes + administered + keys).toBeGreaterThan(0);
});
