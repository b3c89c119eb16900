/*
 * What people read on a terminal, and what programs read with --json: one JSON document per line.
 */
import { type ErrorCode, errorCodes, KeyboundError, type NamespaceDescription } from 'keybound';
import { exitCodeOf, type ExitCode } from './exit-codes.js';
import { type Io, write } from './io.js';

/** Text from storage or an owner, for a terminal: as it is, or quoted where it would steer the terminal. */
export const plain = (text: string): string =>
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)
    ? JSON.stringify(text).replace(
        /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
        (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
      )
    : text;

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytesText(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** unit;
  return `${unit === 0 ? String(Math.round(bytes)) : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ''}`;
}

/** Columns as wide as what is in them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}

/** A policy as `namespace create --key` takes it. */
export function policyText(policy: NamespaceDescription['policy']): string {
  const key = ({ uri, by }: { uri: string; by: string }): string =>
    by === 'service' ? `serviceKey(${uri})` : uri;
  const alternatives = policy.map((keys) => {
    const texts = keys.map(key);
    return texts.length > 1 ? `allOf(${texts.join(', ')})` : texts.join('');
  });
  return alternatives.length > 1 ? `anyOf(${alternatives.join(', ')})` : alternatives.join('');
}

/** What to do about an error, where the command line knows better than the library. */
export const hints = {
  'keyring-locked': 'set KEYBOUND_PASSPHRASE, or run this where there is a terminal to ask at',
  'no-signing-key': 'add `signing` to the configuration, or give --signing with the recovery file',
  'integrity-failure': 'if it was put with --context, give the same here; otherwise treat as tampering',
  'namespace-exists': 'see what it is with `keybound namespace show`',
  'object-exists': 'choose another name, or leave out --if-absent',
  'key-not-found': '`keybound key list` has those there are, `keybound key create` makes one',
  aborted: 'repeat it if it was not meant to end',
} as const;

/** Advice that says nothing beyond the message. */
const empty: readonly string[] = [errorCodes['invalid-argument'].advice, errorCodes.misconfigured.advice];

const hintOf = (code: ErrorCode): string =>
  Object.hasOwn(hints, code) ? hints[code as keyof typeof hints] : errorCodes[code].advice;

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: ExitCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof KeyboundError) {
    const { code, message, retryable, details } = error;
    const hint = hintOf(code);
    return { code, message, hint, exitCode: exitCodeOf[code], retryable, details };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: 'unexpected',
    message: text.split('\n')[0] ?? '',
    hint: 'please report it, with the command that led to it',
    exitCode: 1,
    retryable: false,
    details: {},
  };
}

/** Where results and complaints go. */
export class Printer {
  readonly #io: Io;
  readonly json: boolean;
  readonly #quiet: boolean;

  constructor(io: Io, json: boolean, quiet: boolean) {
    this.#io = io;
    this.json = json;
    this.#quiet = quiet;
  }

  /** A result: `value` for programs, `human` (with its line break) for people. */
  async result(value: object, human: string): Promise<void> {
    await write(this.#io.stdout, this.json ? `${JSON.stringify(value)}\n` : human);
  }

  /** A remark that is no result. */
  async note(text: string): Promise<void> {
    if (!this.#quiet && !this.json) await write(this.#io.stderr, `${text}\n`);
  }

  /** One complaint, in one line (people get what to do in a second one). */
  async failure(error: unknown): Promise<Failure> {
    const failure = failureOf(error);
    const { code, message, hint, exitCode, retryable, details } = failure;
    await write(
      this.#io.stderr,
      this.json
        ? `${JSON.stringify({ error: { code, message, hint, exitCode, retryable, details } })}\n`
        : `keybound: ${plain(message)} [${code}]\n${message.includes(hint) || empty.includes(hint) ? '' : `  → ${hint}\n`}`,
    );
    return failure;
  }
}
