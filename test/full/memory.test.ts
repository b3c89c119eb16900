/*
 * In processes of their own, of the built package: nothing else's memory is measured.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const MiB = 1024 * 1024;

/**
 * The most memory that a process held which stored and read back an object of `size` bytes. The lowest of three: a
 * collection that came late, because the machine was busy, raises a peak, and nothing lowers one.
 */
async function peak(size: number): Promise<number> {
  const child = join(__dirname, '../../bench/memory-child.mjs');
  const peaks: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { stdout } = await run(process.execPath, [child, String(size)]);
    peaks.push(Number(stdout));
  }
  return Math.min(...peaks);
}

it('stores and reads 4 GiB in at most 32 MiB more memory than 64 MiB', async () => {
  const small = await peak(64 * MiB);
  const large = await peak(4096 * MiB);
  expect(small).toBeGreaterThan(16 * MiB);
  expect(large - small).toBeLessThanOrEqual(32 * MiB);
});
