/*
 * What the processes that will be killed, and the one that looks afterwards, have to agree on.
 */
import { createHash } from 'node:crypto';
import { type NewRegistry } from '../../../src/index.js';

export const passphrase = 'killed in the middle of things';
/** The least there is: opening the keyring is not what is tested. */
export const workFactor = 10;

export const dataNamespaces = ['data-0', 'data-1'] as const;
export const adminNamespaces = ['admin-0', 'admin-1'] as const;

/** What a process is told. */
export interface Task {
  readonly folder: string;
  readonly config: NewRegistry['config'];
  /** No two processes have the same. */
  readonly process: number;
  /** Some names are used in one batch only. */
  readonly batch: number;
  readonly seed: number;
}

/** What an administrative verb answered. */
export interface Administered {
  readonly epoch: number;
  readonly trust: string;
  readonly generation: number;
}

/** One line of a process's log, in which nothing is buffered. Times are of the machine's monotonic clock, in µs. */
export type Line =
  | { readonly phase: 'begin'; readonly at: number; readonly id: string; readonly begun: Begun }
  | {
      readonly phase: 'done';
      readonly at: number;
      readonly id: string;
      /** Nothing was there to be changed. */
      readonly idle?: boolean;
      readonly administered?: Administered;
      /** A secret wrapped by a key that was just created, in hex. */
      readonly blob?: string;
    }
  | { readonly phase: 'failed'; readonly at: number; readonly id: string; readonly error: string };

export interface Begun {
  readonly verb: string;
  /** What is changed: `object data-0 name`, `namespace admin-0`, `key name`. */
  readonly target: string;
  /** What the target then is: the id of a body, the state of a key, or null for nothing. */
  readonly sets: string | null;
  /** Of a counter: its count. */
  readonly count?: number;
}

export const now = (): number => Number(process.hrtime.bigint() / 1000n);

/** The body that an id stands for: its size and count are told in its first line, the rest follows from that line. */
export function bodyOf(id: string, size: number, count = 0): Uint8Array {
  const head = `${id} ${String(size)} ${String(count)}\n`;
  const rest = createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(head)
    .digest();
  return Buffer.concat([Buffer.from(head), rest]);
}

/** Whose body this is. Throws unless it is all of one, and nothing else. */
export function readBody(body: Uint8Array): { readonly id: string; readonly count: number } {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const [id = '', size, count] = bytes
    .subarray(0, Math.max(bytes.indexOf('\n'), 0))
    .toString()
    .split(' ');
  if (bytes.equals(bodyOf(id, Number(size), Number(count)))) return { id, count: Number(count) };
  throw new Error(`expected one whole body, got ${String(body.length)} bytes that begin as that of ${id}`);
}
