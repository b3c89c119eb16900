import { armor, Decrypter, Encrypter } from 'age-encryption';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { type KeyboundError } from '../../../../src/errors.js';
import {
  localKeyring,
  type LocalKeyring,
  type LocalKeyringOptions,
} from '../../../../src/keys/providers/local/index.js';

export const root = mkdtempSync(join(tmpdir(), 'keybound-local-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

export const passphrase = 'correct horse battery staple';
export const context = { 'keybound:namespace': 'customer-1', 'keybound:purpose': 'namespace-key' };
export const secret = new Uint8Array(32).fill(7);

let files = 0;
/** A path in a folder of its own. */
export function freshPath(): string {
  const folder = join(root, String(files++));
  mkdirSync(folder);
  return join(folder, 'keyring.age');
}

export const openKeyring = (path: string, options: LocalKeyringOptions = {}): LocalKeyring =>
  localKeyring(path, { passphrase, workFactor: 10, ...options });

/** A keyring with a key `app`, and its path. */
export async function madeKeyring(): Promise<{ path: string; keyring: LocalKeyring }> {
  const path = freshPath();
  const keyring = openKeyring(path);
  await keyring.createKey('app');
  return { path, keyring };
}

export interface Content {
  format: string;
  keys: { name: string; state: string; createdAt: string; key: string | null }[];
}

export async function decrypted(path: string): Promise<Content> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const text = await decrypter.decrypt(armor.decode(readFileSync(path, 'latin1')), 'text');
  // What the test then compares.
  return JSON.parse(text) as Content;
}

export async function encrypted(text: string, workFactor = 10): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  return encrypter.encrypt(text);
}

export const failure = (code: KeyboundError['code'], message = /./): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });
