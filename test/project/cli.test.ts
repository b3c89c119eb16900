import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The command line as it is installed: the built file, run by Node, with real pipes and signals. `npm test` has built it.
 */
const run = promisify(execFile);
const bin = join(__dirname, '../../dist/cli.mjs');
const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
const folder = mkdtempSync(join(tmpdir(), 'keybound-bin-'));
const options = { cwd: folder, env: { ...process.env, KEYBOUND_PASSPHRASE: 'for tests only' } };
const keybound = (...args: string[]) => run(process.execPath, [bin, ...args], options);

beforeAll(async () => {
  await keybound('init', '--work-factor', '10');
  await keybound('key', 'create', 'acme');
  await keybound('namespace', 'create', 'acme', '--key', 'local://acme');
}, 30_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a pipeline of a shell, where `keybound` is the built command. */
const shell = (script: string) =>
  run(
    'bash',
    ['-c', `set -o pipefail; keybound() { "${process.execPath}" "${bin}" "$@"; }; ${script}`],
    options,
  );

describe('the installed command', () => {
  it('runs without anything but Node, and says its version', async () => {
    expect((await keybound('--version')).stdout).toBe(`${version}\n`);
    expect(statSync(bin).mode & 0o111).not.toBe(0);
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('carries 8 MiB through pipes', async () => {
    writeFileSync(join(folder, 'body'), Buffer.alloc(8 * 1024 * 1024, 'keybound'));
    await shell('keybound put acme big < body && keybound get acme big | cmp - body');
    await shell(
      'keybound put acme "from a pipe" <(cat body) && keybound get acme "from a pipe" -o out && cmp out body',
    );
  });

  it('ends by itself when nobody reads on, or nobody writes', async () => {
    await shell('set +o pipefail; keybound get acme big | head -c 10 >/dev/null');
    expect(
      (
        await shell('keybound put acme nothing < /dev/null > /dev/null; keybound get acme nothing | wc -c')
      ).stdout.trim(),
    ).toBe('0');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stores nothing when %s ends it midway', async (signal) => {
    const child = spawn(process.execPath, [bin, 'put', 'acme', 'never'], {
      ...options,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    // It goes away while there is more to write.
    child.stdin.on('error', () => undefined);
    child.stdin.write(Buffer.alloc(2 * 1024 * 1024));
    // Once something lies in the scratch folder, the body is on its way.
    const scratch = join(folder, 'keybound-store/@tmp');
    const staged = (): boolean =>
      readdirSync(scratch).some((name) => statSync(join(scratch, name)).size > 1024 * 1024);
    while (!staged()) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    const [status] = (await once(child, 'exit')) as [number | null];
    expect([status, stderr]).toEqual([130, expect.stringMatching(/^keybound: .*\[aborted\]\n/)]);
    expect((await keybound('ls', 'acme', 'never')).stdout).toBe('');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('refuses without a stack trace, and says so by its status', async () => {
    const failed = (await keybound('get', 'acme', 'none').catch((error: unknown) => error)) as {
      code: number;
      stderr: string;
    };
    expect([failed.code, failed.stderr]).toEqual([
      3,
      expect.stringMatching(/^keybound: .*\[object-not-found\]\n {2}→ .*\n$/),
    ]);
  });

  it('completes commands and options in bash', async () => {
    const script = (words: string, at: number): string =>
      `eval "$(keybound completion bash)"; COMP_WORDS=(${words}); COMP_CWORD=${String(at)}; _keybound; echo "\${COMPREPLY[@]}"`;
    expect((await shell(script('keybound na', 1))).stdout).toBe('namespace\n');
    expect((await shell(script('keybound namespace s', 2))).stdout).toBe('show suspend\n');
    expect((await shell(script('keybound put --if-', 2))).stdout).toBe('--if-absent --if-version\n');
    expect((await shell(script('keybound namespace create --js', 3))).stdout).toBe('--json\n');
  });
});
