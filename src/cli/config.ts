/*
 * `keybound.json`: what an installation consists of. It holds no secret.
 */
import { open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { KeyboundError } from 'keybound';
import * as z from 'zod';
import { quote } from './quote.js';

/** Each message completes "expected <where> to be …". */
const text = (what: string, pattern?: RegExp): z.ZodString => {
  const string = z.string({ error: what });
  return pattern === undefined ? string : string.regex(pattern, { error: what });
};
const file = text('the path of a file', /^[^\0]+$/);
const publicKey = text('the base64url of 32 bytes', /^[\w-]{43}$/);
const regionName = text('a region name [a-z0-9][a-z0-9-]*', /^[a-z0-9][a-z0-9-]{0,62}$/);

const region = z
  .strictObject(
    {
      store: text('a store URL such as file:store-eu', /^file:[^\0]+$/).describe(
        'Where the region’s data lies: `file:` and a folder, relative to this file',
      ),
      keyLocations: z
        .array(text('a location such as local', /^[a-z0-9][a-z0-9:-]*$/), {
          error: 'a list of KMS locations',
        })
        .min(1, { error: 'a list of at least one KMS location' })
        .describe('KMS locations whose keys may be bound here, such as `local`'),
    },
    { error: 'an object with store and keyLocations' },
  )
  .describe('One region: exactly one store, and where keys for it may live');

const local = z
  .strictObject(
    {
      keyring: file.describe('A passphrase-encrypted file of keys, relative to this file'),
      workFactor: z
        .int({ error: 'a whole number from 10 to 20' })
        .min(10, { error: 'a whole number from 10 to 20' })
        .max(20, { error: 'a whole number from 10 to 20' })
        .optional()
        .describe('log2 of scrypt’s N for keyrings that are written; 18 if left out'),
    },
    { error: 'an object with keyring' },
  )
  .describe('`local://` keys');

const root = z.strictObject(
  {
    publicKey: publicKey.describe('Ed25519, base64url of 32 bytes'),
    status: z.enum(['active', 'retired'], { error: 'active or retired' }),
  },
  { error: 'an object with publicKey and status' },
);

const signing = z.strictObject(
  {
    publicKey,
    region: regionName.describe('The region where the root was made'),
    key: text('a key policy such as local://service').describe('The policy that wraps the root’s seed'),
    wrapped: text('the wrapped seed').optional().describe('The wrapped seed, if it is not in the store'),
  },
  { error: 'an object with publicKey, region and key' },
);

export const configSchema = z
  .strictObject(
    {
      $schema: text('a URL').optional(),
      registry: text('a registry id of 32 lower-case hex digits', /^[0-9a-f]{32}$/).describe(
        'The registry’s id, made by `keybound init`',
      ),
      regions: z.record(regionName, region, { error: 'an object of regions by name' }),
      keys: z
        .strictObject({ local: local.optional() }, { error: 'an object of key providers by kind' })
        .describe('One provider for each kind of KMS in use'),
      roots: z
        .array(root, { error: 'a list of root public keys' })
        .min(1, { error: 'a list of at least one root' })
        .max(64, { error: 'a list of at most 64 roots' })
        .describe('The root public keys that are believed'),
      signing: z
        .array(signing, { error: 'a list of roots to sign with' })
        .max(64, { error: 'a list of at most 64 roots' })
        .optional()
        .describe('Roots to sign with, in the order of preference; only where the registry is administered'),
      marks: file
        .optional()
        .describe('A folder that remembers the newest bindings seen, so that older ones are refused'),
    },
    { error: 'an object' },
  )
  .meta({ title: 'keybound.json', description: 'What an installation of keybound consists of' });

export type Config = z.infer<typeof configSchema>;
export type SigningConfig = z.infer<typeof signing>;

/** The longest configuration that is read, in characters. */
export const maxConfigLength = 4 * 1024 * 1024;

/** A member's name where it is plain; anybody may have edited the file. */
const pathPart = (name: string): string => (/^[\w$-]{1,40}$/.test(name) ? name : quote(name, 40));

function explain(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((one) => pathPart(String(one))).join('.') || 'it';
  if (issue.code === 'unrecognized_keys') {
    return `expected no member ${quote(issue.keys[0] ?? '', 60)} in ${path}`;
  }
  if (issue.code === 'invalid_key') return `expected ${path} to be named by a region name [a-z0-9][a-z0-9-]*`;
  return `expected ${path} to be ${issue.message}`;
}

function parse<T>(schema: z.ZodType<T>, json: string, name: string): T {
  const fail = (message: string): never => {
    throw new KeyboundError('misconfigured', `${name}: ${message}`, { details: { file: name } });
  };
  if (json.length > maxConfigLength) fail(`expected at most ${String(maxConfigLength)} characters`);
  let value: unknown;
  try {
    value = JSON.parse(json.startsWith('\ufeff') ? json.slice(1) : json, (key, member: unknown) => {
      // The schema would pass over it.
      if (key === '__proto__') fail('expected no member "__proto__"');
      return member;
    });
  } catch (error) {
    if (error instanceof KeyboundError) throw error;
    return fail('expected JSON, got something else');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return fail(issue === undefined ? 'expected a configuration' : explain(issue));
}

/** Reads a configuration from its text. `name` is for messages. Throws `misconfigured`. */
export const parseConfig = (json: string, name: string): Config => parse(configSchema, json, name);

/** Reads what `init` wrote for the recovery root. Throws `misconfigured`. */
export const parseSigning = (json: string, name: string): SigningConfig => parse(signing, json, name);

/** The text of a file, or null if there is none. Throws `misconfigured` if it cannot be read. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cannot('read', path, error);
  }
}

/** Creates a file with a text. Throws `misconfigured` if there is one. */
export async function createText(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', flush: true });
  } catch (error) {
    throw cannot('write', path, error);
  }
}

/**
 * Replaces a file, or what a link points to, that still has the text `before`. Throws `misconfigured` if it was edited
 * since, or is being edited.
 */
export async function replaceText(path: string, before: string, content: string): Promise<void> {
  const failing = (error: unknown): never => {
    throw error instanceof KeyboundError ? error : cannot('write', path, error);
  };
  const target = await realpath(path).catch(failing);
  const { mode } = await stat(target).catch(failing);
  // Both the lock and what replaces the file.
  const staged = `${target}.new`;
  const file = await open(staged, 'wx', mode).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return failing(error);
    throw new KeyboundError(
      'misconfigured',
      `another command is changing ${path}: repeat this one when it is done (if none is, delete ${staged})`,
      { details: { file: path } },
    );
  });
  try {
    await file.writeFile(content);
    await file.sync();
    if ((await readText(target)) !== before) {
      throw new KeyboundError('misconfigured', `${path} was edited meanwhile: repeat the command`, {
        details: { file: path },
      });
    }
    await rename(staged, target);
  } catch (error) {
    await rm(staged, { force: true });
    failing(error);
  } finally {
    await file.close();
  }
}

function cannot(verb: string, path: string, error: unknown): KeyboundError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  return new KeyboundError('misconfigured', `cannot ${verb} ${path}: ${code}`, {
    details: { file: path },
    cause: error,
  });
}

export const configText = (config: Config): string => `${JSON.stringify(config, null, 2)}\n`;
