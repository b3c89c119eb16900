/*
 * The command line: its configuration, and its arguments.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { parseConfig, parseSigning } from '../../../src/cli/config.js';
import { exitCodes } from '../../../src/cli/exit-codes.js';
import { main } from '../../../src/cli/main.js';
import { folderOf, signingOf } from '../../../src/cli/setup.js';
import { words } from '../engine/bytes.js';
import { mutateJson } from '../engine/json.js';
import { type MakeTarget, must } from '../engine/target.js';
import { text } from './world.js';

const publicKey = 'A'.repeat(43);
const signing = { publicKey, region: 'eu', key: 'allOf(local://service, serviceKey(local://other))' };
const config = {
  registry: '0123456789abcdef0123456789abcdef',
  regions: {
    eu: { store: 'file:store-eu', keyLocations: ['local'] },
    us: { store: 'file:///srv/store', keyLocations: ['local', 'aws:us-east-1'] },
  },
  keys: { local: { keyring: 'keyring.age', workFactor: 18 } },
  marks: 'marks',
  roots: [
    { publicKey, status: 'active' },
    { publicKey, status: 'retired' },
  ],
  signing: [signing],
};

const read = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

export const cliConfig: MakeTarget = () => ({
  name: 'cli-config',
  corpus: [text(config), text(JSON.stringify(config, null, 2)), text({ ...config, signing: [] })],
  mutators: [mutateJson],
  run: (input) => {
    const parsed = parseConfig(read(input), 'keybound.json');
    const again = parseConfig(JSON.stringify(parsed), 'keybound.json');
    must(JSON.stringify(again) === JSON.stringify(parsed), 'a configuration that changes when it is written');
    for (const { store } of Object.values(parsed.regions)) folderOf(store, '/base');
    for (const one of parsed.signing ?? []) signingOf(one);
  },
});

export const cliSigning: MakeTarget = () => ({
  name: 'cli-signing',
  corpus: [text(signing), text({ ...signing, wrapped: '{}' })],
  mutators: [mutateJson],
  run: (input) => {
    signingOf(parseSigning(read(input), 'recovery.json'));
  },
});

const vocabulary = [
  ...['init', 'namespace', 'create', 'list', 'show', 'suspend', 'resume', 'rotate', 'put', 'get', 'ls', 'rm'],
  ...['inspect', 'verify', 'key', 'disable', 'enable', 'destroy', 'root', 'add', 'retire', 'doctor'],
  ...['completion', 'bash', 'zsh', 'fish', '--help', '--version', '--json', '--quiet', '--region', 'eu'],
  ...['--context', 'a=b', 'a=c', '=', '--range', '0-1', '-5', '5-', '9-1', '--recursive', '--output', 'out'],
  ...['--key', 'local://acme', 'anyOf(local://acme', '--owner', 'x', '--trust', '--instance', '--if-absent'],
  ...['--if-version', '--signing', '--config', '--yes', '--file', '-', '--', '--epoch', '1', '--work-factor'],
  ...['acme', 'constructor', '__proto__', 'toString', 'hasOwnProperty', '--constructor', '--__proto__', ''],
];
const known = new Set(vocabulary);

/** Words of a command line, one a line. Nothing that was made up can lead out of the folder. */
const argumentsOf = (input: Uint8Array): string[] =>
  read(input)
    .split('\n')
    .map((word) => (known.has(word) ? word : word.replaceAll('/', '_').replaceAll('..', '__')));

/** Keeps what was written. */
class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const lines = (...words: readonly string[]): Uint8Array => text(words.join('\n'));

/** In a folder that does not exist, so that every command is read to its last word, and none does anything. */
export const cliArguments: MakeTarget = () => ({
  name: 'cli-arguments',
  corpus: [
    lines('--help'),
    lines('completion', 'bash'),
    lines('namespace', 'create', 'acme', '--key', 'local://acme', '--owner', 'x'),
    lines('put', 'acme', 'name', '-', '--context', 'a=b', '--if-absent'),
    lines('get', 'acme', 'name', '--range', '0-1', '--output', 'out', '--json'),
    lines('inspect', '--file', '-'),
    lines('root', 'retire', '--', '-x'),
    lines('key', 'destroy', 'acme', '--yes'),
  ],
  mutators: [words(...vocabulary)],
  maxLength: 4096,
  run: async (input) => {
    const [stdout, stderr] = [new Kept(), new Kept()];
    const status = await main(argumentsOf(input), {
      stdin: Readable.from([]),
      stdout,
      stderr,
      env: {},
      cwd: join(tmpdir(), 'keybound-no-such-folder'),
      signal: new AbortController().signal,
    });
    must(Object.hasOwn(exitCodes, status), `exit status ${String(status)}`);
    must(!/\[unexpected\]|"unexpected"/.test(stderr.text), 'an unexpected error');
    must(!/\n {4}at /.test(stderr.text), 'a stack trace');
    must(status === 0 || status === 1 || stderr.text !== '', 'a refusal without a word');
  },
});
