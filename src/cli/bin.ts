#!/usr/bin/env node
import { closeSync, openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import { read } from 'read';
import { type Io } from './io.js';
import { main } from './main.js';

const controller = new AbortController();
/** What is still under way after so long is waiting for somebody else, who may never come. */
const patienceMs = 3000;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: whoever asks a second time does not want to wait.
  process.once(signal, () => {
    controller.abort(new Error(`interrupted by ${signal}`));
    setTimeout(() => process.exit(130), patienceMs).unref();
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
    return answer(question, process.stdin, process.stderr);
  }
  const input = new ReadStream(openSync(terminal, 'r'));
  const output = new WriteStream(openSync(terminal, 'w'));
  try {
    return await answer(question, input, output);
  } finally {
    input.destroy();
    output.destroy();
  }
}

/** One line, or a rejection if the terminal ends before there is one. */
async function answer(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Promise<string> {
  const ended = new Promise<never>((_, reject) => {
    // Ctrl-D pauses a terminal and does not end it; an answer does too, and comes first.
    for (const event of ['end', 'close', 'pause'] as const) {
      input.once(event, () => {
        setImmediate(() => {
          reject(new Error('nothing was answered'));
        });
      });
    }
  });
  ended.catch(() => undefined);
  return Promise.race([read({ prompt: question, silent: true, input, output }), ended]);
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

// For a process that ends because nothing is left that could wake it.
process.exitCode = 1;
void main(process.argv.slice(2), io).then((status) => {
  // Ends also what nobody waits for any more, such as a standard input that was not read to its end.
  process.stdout.write('', () => process.exit(status));
});
