/*
 * A registry with a namespace in use, and what must hold whatever is done to it: each refusal says what it is about and
 * what to do, in one line that gives nothing away, and nothing that was stored before is lost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type ErrorCode,
  errorCodes,
  KeyboundError,
  type Namespace,
  type PutOptions,
} from '../../src/index.js';
import { fileStore } from '../../src/storage/stores/file/index.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { expectSame } from '../support/bytes.js';
import { failureOf } from '../support/errors.js';
import { Rng } from '../support/rng.js';
import { makeWorld, type World } from '../support/world.js';

/** In every plaintext and context, and so never in an error. */
export const canary = 'canary-plaintext';
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

export interface Ground {
  readonly world: World;
  readonly acme: Namespace;
  /** The folder of the file stores, a temporary one; undefined where stores are in memory. */
  readonly folder: string | undefined;
  /** A record of `acme` under the name `record`. */
  readonly record: Uint8Array;
  /** What an object `stream` is encrypted to, kept elsewhere. */
  readonly stream: Uint8Array;
  /** Everything that was stored before reads back byte for byte, in a process that begins anew. */
  intact(): Promise<void>;
  close(): void;
}

const objects: readonly (readonly [name: string, bytes: Uint8Array, options: PutOptions])[] = [
  ['empty', new Uint8Array(0), {}],
  ['small', text(`${canary} small`), { contentType: 'text/plain', context: { customer: canary } }],
  ['large', new Uint8Array(Buffer.concat([text(canary), new Rng(1).bytes(50_000)])), {}],
];

export type Kind = 'memory' | 'files';

export async function makeGround(kind: Kind, regions: readonly string[] = ['eu']): Promise<Ground> {
  const folder = kind === 'files' ? mkdtempSync(join(tmpdir(), 'keybound-hostile-')) : undefined;
  const world = await makeWorld({
    regions,
    store: (region) => (folder === undefined ? memoryStore() : fileStore(join(folder, 'stores', region))),
  });
  const acme = await world.keybound.create('acme', { key: 'local://acme', region: regions[0] ?? '' });
  for (const [name, bytes, options] of objects) await acme.put(name, bytes, options);
  const record = await acme.encryptRecord('record', text(canary));
  const stream = await (await acme.encryptStream('stream', text(canary))).bytes();
  return {
    world,
    acme,
    folder,
    record,
    stream,
    async intact() {
      const reader = await world.another().open('acme', { region: regions[0] ?? '' });
      const listed: string[] = [];
      for await (const { name } of reader.list()) listed.push(name);
      for (const [name, bytes, { context }] of objects) {
        expect(listed).toContain(name);
        const options = context === undefined ? {} : { context };
        expectSame(await (await reader.get(name, options)).bytes(), bytes);
      }
      expectSame(await reader.decryptRecord('record', record), text(canary));
      expectSame(await (await reader.decryptStream('stream', stream)).bytes(), text(canary));
    },
    close() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The secrets of a ground as they might be printed. */
function secretsOf({ world }: Ground): string[] {
  const keys = Object.values(world.keys.material).flatMap((key) => {
    const bytes = Buffer.from(key);
    return [
      bytes.toString('hex'),
      bytes.toString('base64').slice(0, 40),
      bytes.toString('base64url').slice(0, 40),
    ];
  });
  return [canary, ...keys];
}

/** What holds of every error of this library, whatever it is about. */
export function expectHelpful(
  error: unknown,
  secrets: readonly string[] = [canary],
): asserts error is KeyboundError {
  if (!(error instanceof KeyboundError)) throw error;
  const { message, code, details } = error;
  expect(errorCodes[code].advice).not.toBe('');
  expect(message, 'one line').not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(message, 'well formed').toBe(message.toWellFormed());
  expect(message, 'lower case').not.toMatch(/^[A-Z]/);
  expect(message, 'no full stop').not.toMatch(/\.$/);
  expect(message, 'no stack').not.toMatch(/\bat .+:\d+:\d+|\.[jt]s:\d|undefined is not|cannot read prop/i);
  expect(message.length, 'not endless').toBeLessThan(500);
  for (const told of [message, JSON.stringify(details)]) {
    for (const secret of secrets) expect(told).not.toContain(secret);
  }
  if (code === 'invalid-argument') expect(message).toMatch(/expected /);
}

/** The refusal of that code with which `work` fails; its message says what it is about. */
export async function expectRefusal(
  ground: Ground,
  code: ErrorCode,
  about: readonly (string | RegExp)[],
  work: () => unknown,
): Promise<KeyboundError> {
  const error = await failureOf(work);
  expectHelpful(error, secretsOf(ground));
  expect(error.code, error.message).toBe(code);
  for (const what of about) expect(error.message).toMatch(what);
  return error;
}
