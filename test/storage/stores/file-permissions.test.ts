/*
 * Permissions, as an ordinary user meets them: root has them all, so where these tests run as root they work as nobody.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { pattern, sourceOf } from '../../../src/testing/object-store/trial.js';

const base = mkdtempSync(join(tmpdir(), 'keybound-permissions-'));
afterAll(() => {
  rmSync(base, { recursive: true });
});

const nobody = 65_534;
const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
const program = join(base, 'user.mjs');
beforeAll(() => {
  buildSync({
    entryPoints: [join(__dirname, 'file-other-user.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '#engine': resolve(__dirname, '../../../src/crypto/node.ts') },
  });
  chmodSync(base, 0o755);
});

/** What the user met, and the folder in which. */
async function meet(scenario: string): Promise<{ found: unknown; folder: string }> {
  const folder = join(base, scenario);
  mkdirSync(folder);
  if ('uid' in user) chownSync(folder, nobody, nobody);
  const child = spawn(process.execPath, [program, folder, scenario], {
    ...user,
    cwd: base,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const output = await textOf(child.stdout);
  expect(await exited).toEqual([0, null]);
  return { found: JSON.parse(output), folder };
}

describe('a user', () => {
  it('who may only read, reads and lists everything, is told so on each write, and may write later', async () => {
    const denied = 'store-denied: EACCES; let this process read and write the store’s folder';
    const { found } = await meet('read-only');
    expect(found).toEqual({
      refused: {
        put: denied,
        create: denied,
        delete: denied,
        rotate: denied,
        key: 'misconfigured: EACCES; check that its folder exists and that this process may write what is in it',
      },
      readable: 'old',
      listed: ['object'],
      later: ['ok', 'ok'],
      now: 'new',
    });
  });

  it('who loses the permission in the middle of a write stores nothing and loses nothing', async () => {
    const denied = 'store-denied: EACCES; let this process read and write the store’s folder';
    const { found, folder } = await meet('lost');
    expect(found).toEqual({
      refused: { objects: denied, scratch: denied, root: denied },
      readable: 'old',
      now: 'old',
    });
    // What it could not take away then, the next process does.
    await fileStore(join(folder, 'store')).put({ folder: 'any', name: 'next' }, sourceOf(pattern(1)));
    expect(readdirSync(join(folder, 'store', '@tmp'))).toEqual([]);
  });
});
