/*
 * The most memory a process ever held while it stored and read back one object, by the object's size.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GiB, MiB } from './world.mjs';

const run = promisify(execFile);
const child = fileURLToPath(new URL('memory-child.mjs', import.meta.url));

/**
 * Peak resident memory in bytes, of a process of its own. The lowest of several: a collection that came late, because the
 * machine was busy, raises a peak, and nothing lowers one.
 */
async function peak(size, runs = 3) {
  const peaks = [];
  for (let i = 0; i < runs; i++) {
    const { stdout } = await run(process.execPath, [child, String(size)]);
    peaks.push(Number(stdout));
  }
  return Math.min(...peaks);
}

export async function memory({ quick }) {
  const sizes = { small: 64 * MiB, large: quick ? GiB : 4 * GiB };
  const found = { small: await peak(sizes.small), large: await peak(sizes.large) };
  return { sizes, ...found, difference: found.large - found.small };
}
