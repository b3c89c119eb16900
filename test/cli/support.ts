import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { type Io, type Output } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
  /** The documents that --json printed. */
  readonly json: readonly Record<string, unknown>[];
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly terminal?: boolean;
  readonly askSecret?: (question: string) => Promise<string>;
  readonly stdout?: Output;
}

class Collector extends Writable {
  readonly parts: Buffer[] = [];
  readonly columns = 80;
  constructor(readonly isTTY: boolean) {
    super();
  }
  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.parts.push(chunk);
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

export const passphrase = 'for tests only';

/** A folder with nobody else in it, and the command line run there. */
export class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), 'keybound-cli-'));

  constructor() {
    made.push(this.folder);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { stdin = '', terminal = false, env = { KEYBOUND_PASSPHRASE: passphrase } } = options;
    const stdout = new Collector(terminal);
    const stderr = new Collector(terminal);
    const io: Io = {
      stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
      stdout: options.stdout ?? stdout,
      stderr,
      env,
      cwd: this.folder,
      signal: options.signal ?? new AbortController().signal,
      ...(options.askSecret === undefined ? {} : { askSecret: options.askSecret }),
    };
    const status = await main(args, io);
    const text = stdout.bytes.toString();
    return {
      status,
      stdout: text,
      bytes: stdout.bytes,
      stderr: stderr.bytes.toString(),
      get json() {
        return text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      },
    };
  }

  /** Runs what must succeed. */
  async done(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const ran = await this.run(args, options);
    if (ran.status !== 0) throw new Error(`keybound ${args.join(' ')}: ${String(ran.status)}\n${ran.stderr}`);
    return ran;
  }

  /** Runs what must fail with one line, and gives its code and exit status. */
  async refused(args: readonly string[], options: RunOptions = {}): Promise<[code: string, status: number]> {
    const ran = await this.run(['--json', ...args], options);
    const lines = ran.stderr.trim().split('\n');
    const { error } = JSON.parse(lines[0] ?? '') as {
      error: { code: string; message: string; hint: string };
    };
    if (lines.length > 1 && !args.includes('--recursive'))
      throw new Error(`more than one line: ${ran.stderr}`);
    if (/\n|\n\s+at /.test(error.message) || error.hint === '')
      throw new Error(`not one line: ${ran.stderr}`);
    return [error.code, ran.status];
  }
}

/** A registry with key and namespace acme. */
export async function desk(): Promise<Desk> {
  const made = new Desk();
  await made.done(['init', '--work-factor', '10']);
  await made.done(['key', 'create', 'acme']);
  await made.done(['namespace', 'create', 'acme', '--key', 'local://acme', '--owner', 'Acme']);
  return made;
}
