#!/usr/bin/env node
import { closeSync, openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import { read } from 'read';
import { type Io } from './io.js';
import { main } from './main.js';

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Once: whoever asks a second time does not want to wait.
  process.once(signal, () => {
    controller.abort(new Error(`interrupted by ${signal}`));
  });
}

/** Where a person can be asked although the standard input is data. */
const terminal = '/dev/tty';

/** Asks on the terminal, without showing what is typed. */
async function askSecret(question: string): Promise<string> {
  try {
    return await ask(question);
  } catch (error) {
    // Whoever does not answer wants nothing more.
    controller.abort(error);
    throw error;
  }
}

async function ask(question: string): Promise<string> {
  if (process.stdin.isTTY) {
    return read({ prompt: question, silent: true, input: process.stdin, output: process.stderr });
  }
  const input = new ReadStream(openSync(terminal, 'r'));
  const output = new WriteStream(openSync(terminal, 'w'));
  try {
    return await read({ prompt: question, silent: true, input, output });
  } finally {
    input.destroy();
    output.destroy();
  }
}

/** Whether there is a terminal at all: its file is there, but cannot be opened, where none is attached. */
function canAsk(): boolean {
  if (process.stdin.isTTY) return true;
  try {
    closeSync(openSync(terminal, 'r'));
    return true;
  } catch {
    return false;
  }
}

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: controller.signal,
  ...(canAsk() ? { askSecret } : {}),
};

// Reported by the write that failed.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

void main(process.argv.slice(2), io).then((status) => {
  process.exitCode = status;
  // A standard input that was not read to its end would keep the process.
  process.stdin.destroy();
});
