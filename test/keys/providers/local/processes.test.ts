import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { context, freshPath, openKeyring, passphrase, root, secret } from './fixtures.js';

describe('several processes', () => {
  const source = resolve(__dirname, '../../../../src');
  const script = join(root, 'create-keys.mjs');
  buildSync({
    stdin: {
      contents: `
        import { localKeyring } from './keys/providers/local/index.ts';
        const [path, prefix, count] = process.argv.slice(2);
        const keyring = localKeyring(path, { passphrase: ${JSON.stringify(passphrase)}, workFactor: 10 });
        for (let i = 0; i < Number(count); i++) console.log((await keyring.createKey(prefix + i)).name);`,
      resolveDir: source,
      loader: 'ts',
    },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '#engine': join(source, 'crypto/node.ts') },
  });

  /** Runs the script, and kills it once it has created `killAfter` keys. Returns the keys that it said it created. */
  async function createKeys(path: string, prefix: string, killAfter = Infinity): Promise<string[]> {
    const child = spawn(process.execPath, [script, path, prefix, '3'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    const exited = once(child, 'exit');
    const created: string[] = [];
    for await (const name of createInterface({ input: child.stdout })) {
      created.push(name);
      // In the midst of the next one: each takes some ten milliseconds.
      if (created.length === killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 30);
    }
    await exited;
    return created;
  }

  it('lose no key, also when some are killed', async () => {
    const path = freshPath();
    const created = await Promise.all([
      createKeys(path, 'a-'),
      createKeys(path, 'b-'),
      createKeys(path, 'killed-c-', 1),
      createKeys(path, 'killed-d-', 1),
      createKeys(path, 'killed-e-', 2),
    ]);
    const keyring = openKeyring(path);
    const listed = (await keyring.listKeys()).map(({ name }) => name);
    expect(created.flat().length).toBeGreaterThanOrEqual(3 + 3 + 1 + 1 + 2);
    expect(created.flat().filter((name) => !listed.includes(name))).toEqual([]);
    expect(created.slice(0, 2).flat()).toHaveLength(6);
    await keyring.createKey('after');
    await keyring.wrap('local://after', secret, context);
  });
});
