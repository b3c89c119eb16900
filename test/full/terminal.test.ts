/*
 * The command line on a real terminal, which Python lends: prompts, echo, progress, Ctrl-C. Runs the built command.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const bin = join(__dirname, '../../dist/cli.mjs');
const folder = mkdtempSync(join(tmpdir(), 'keybound-terminal-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command on a new terminal, types an answer after each prompt, and prints what was shown and the status. */
const driver = `
import json, os, pty, select, sys, time
job = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    if job['stdin']:
        os.dup2(os.open(job['stdin'], os.O_RDONLY), 0)
    os.execvp(job['command'][0], job['command'])
shown, answers, end = b'', job['answers'], time.time() + 60
while time.time() < end:
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
    if answers and b': ' in data:
        time.sleep(0.1)
        os.write(fd, answers.pop(0).encode())
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({'shown': shown.decode('utf8', 'replace'), 'status': status}))
`;

async function type(
  args: readonly string[],
  answers: readonly string[],
  stdin = '',
): Promise<{ shown: string; status: number }> {
  const job = { command: [process.execPath, bin, ...args], answers, stdin };
  // Empty is none.
  const env = { ...process.env, TERM: 'xterm', KEYBOUND_PASSPHRASE: '' };
  const { stdout } = await run('python3', ['-c', driver, JSON.stringify(job)], { cwd: folder, env });
  return JSON.parse(stdout) as { shown: string; status: number };
}

const hasPython = spawnSync('python3', ['-c', 'import os, pty; os.waitstatus_to_exitcode']).status === 0;
// eslint-disable-next-line no-console -- says what could not be checked
if (!hasPython) console.log('NOT CHECKED: prompts on a terminal, for want of Python 3.9');

describe.runIf(hasPython)('on a terminal', () => {
  const secret = 'five random words';

  it('asks twice for a new passphrase, never shows it, and asks once from then on', async () => {
    const made = await type(['init', '--work-factor', '10'], [`${secret}\n`, `${secret}\n`]);
    expect([made.status, made.shown]).toEqual([
      0,
      expect.stringMatching(/New passphrase for .*The same again: /s),
    ]);
    const key = await type(['key', 'create', 'acme'], [`${secret}\n`]);
    expect([key.status, key.shown]).toEqual([0, expect.stringMatching(/acme {2}enabled/)]);
    expect(made.shown + key.shown).not.toContain(secret);
    expect((await type(['key', 'list'], ['wrong\n'])).status).toBe(6);
  });

  it('asks on the terminal also while the standard input is data, and shows how far it is', async () => {
    await type(['namespace', 'create', 'acme', '--key', 'local://acme'], [`${secret}\n`]);
    const body = join(folder, 'body');
    writeFileSync(body, Buffer.alloc(200 * 1024 * 1024));
    const put = await type(['put', 'acme', 'big'], [`${secret}\n`], body);
    expect(put.status).toBe(0);
    expect(put.shown).toMatch(/big \d+ MiB, [\d.]+ [MG]iB\/s/);
    const verified = await type(['verify', 'acme', 'big'], [`${secret}\n`]);
    expect(verified.shown).toMatch(/big \d+ % \d+ MiB, .*\/s, \d:\d\d left/);
  });

  it.each(['\u0003', '\u0004'])(
    'ends when Ctrl-C or Ctrl-D is typed instead of a passphrase: %j',
    async (typed) => {
      const { status, shown } = await type(['key', 'list'], [typed]);
      expect([status, shown]).toEqual([130, expect.stringMatching(/\[aborted\]/)]);
    },
  );
});
