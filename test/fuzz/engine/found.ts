/*
 * Inputs that once failed, kept in `found/`, replayed for ever.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found } from './campaign.js';

const folder = join(__dirname, '../found');

export interface Kept {
  readonly file: string;
  readonly target: string;
  readonly input: Uint8Array;
}

/** A file is hexadecimal digits in lines of any length; lines that begin with # say what it was. */
const inputOf = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replace(/^#.*$/gm, '').replace(/\s/g, ''), 'hex'));

export function keptInputs(): Kept[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.hex')) : [];
  return files.sort().map((file) => ({
    file,
    target: file.replace(/-[0-9a-f]{8}\.hex$/, ''),
    input: inputOf(readFileSync(join(folder, file), 'utf8')),
  }));
}

/** Writes it down, and says where. */
export function keep(target: string, { what, input }: Found): string {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 8);
  const path = join(folder, `${target}-${hash}.hex`);
  const lines =
    Buffer.from(input)
      .toString('hex')
      .match(/.{1,100}/g) ?? [];
  writeFileSync(path, [`# ${what.split('\n', 1).join()}`, ...lines, ''].join('\n'));
  return path;
}

/** An input given as hexadecimal digits, as base64, or as a file of digits. */
export function givenInput(text: string): Uint8Array {
  if (existsSync(text)) return inputOf(readFileSync(text, 'utf8'));
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? inputOf(text) : new Uint8Array(Buffer.from(text, 'base64'));
}
