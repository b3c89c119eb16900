/*
 * put, get, ls, rm, verify: what a namespace holds.
 */
import { type Command } from 'commander';
import { resolve } from 'node:path';
import {
  type DecryptedObject,
  type GetOptions,
  KeyboundError,
  type Namespace,
  type PutOptions,
  type PutResult,
} from 'keybound';
import { collect, contextOf, pairsOf, rangeOf } from '../arguments.js';
import { filesBelow, look, makeFolderOf, pathBelow, readFile, writeFile } from '../files.js';
import { write } from '../io.js';
import { type Run, type Shell } from '../shell.js';
import { bytesText, plain } from '../output.js';
import { Progress } from '../progress.js';
import { quote } from '../quote.js';

interface NamespaceOptions {
  readonly trust?: string;
  readonly instance?: string;
}

/** Options of every command that opens a namespace. */
export const trusting = (command: Command): Command =>
  command
    .option('--trust <trust>', 'believe no binding older than this, as an administrative command printed it')
    .option('--instance <id>', 'the instance meant, if a namespace of this id was deleted and made again');

const openOptions = ({ trust, instance }: NamespaceOptions): NamespaceOptions => ({
  ...(trust === undefined ? {} : { trust }),
  ...(instance === undefined ? {} : { instance }),
});

interface ContextOptions {
  readonly context?: readonly string[];
}

const withContext = (command: Command): Command =>
  command.option(
    '--context <key=value>',
    'bound to the ciphertext, stored nowhere; may be repeated',
    collect,
  );

/** What concerns one object of many: the others go on. */
const ofOneObject: readonly string[] = [
  'invalid-argument',
  'object-exists',
  'object-not-found',
  'object-changed',
  'precondition-failed',
  'source-failed',
  'too-large',
  'integrity-failure',
  'not-ciphertext',
  'unsupported-form',
];

function progressOf({ io, globals }: Shell): Progress {
  const shown = io.stderr.isTTY === true && globals.json !== true && globals.quiet !== true;
  return new Progress(shown ? io.stderr : null);
}

/** Does something with each of many, and complains of each that fails. */
async function forEach(
  shell: Shell,
  names: AsyncIterable<string>,
  use: (name: string) => Promise<void>,
): Promise<void> {
  let count = 0;
  let failures = 0;
  for await (const name of names) {
    count++;
    try {
      await use(name);
    } catch (error) {
      if (!(error instanceof KeyboundError) || !ofOneObject.includes(error.code)) throw error;
      failures++;
      shell.fail((await shell.printer.failure(error)).exitCode);
    }
  }
  if (failures > 0) await shell.printer.note(`${String(failures)} of ${String(count)} failed`);
  else if (count === 0) await shell.printer.note('there was nothing to do');
}

async function* namesBelow(
  namespace: Namespace,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const { name } of namespace.list({ prefix, signal })) yield name;
}

interface PutArguments extends NamespaceOptions, ContextOptions {
  readonly recursive?: boolean;
  readonly contentType?: string;
  readonly fileName?: string;
  readonly pair?: readonly string[];
  readonly ifAbsent?: boolean;
  readonly ifVersion?: string;
}

function putOptions(given: PutArguments, signal: AbortSignal): PutOptions {
  const pairs = pairsOf(given.pair, '--pair');
  return {
    ...contextOf(given.context),
    ...(given.contentType === undefined ? {} : { contentType: given.contentType }),
    ...(given.fileName === undefined ? {} : { fileName: given.fileName }),
    ...(pairs === undefined ? {} : { pairs }),
    ...(given.ifAbsent === true ? { ifAbsent: true } : {}),
    ...(given.ifVersion === undefined ? {} : { ifVersion: given.ifVersion }),
    signal,
  };
}

async function put(
  shell: Shell,
  id: string,
  name: string,
  file: string | undefined,
  given: PutArguments,
): Promise<void> {
  const { io, printer } = shell;
  const options = putOptions(given, io.signal);
  const path = file === undefined || file === '-' ? undefined : resolve(io.cwd, file);
  const status = path === undefined ? undefined : await look(path);
  const recursive = given.recursive === true;
  if (recursive !== (status?.isDirectory() ?? false)) {
    throw new KeyboundError(
      'invalid-argument',
      recursive
        ? 'expected a folder with --recursive, got something else'
        : `expected a file, got the folder ${file ?? ''}: use --recursive`,
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const store = async (
    name: string,
    source: AsyncIterable<Uint8Array>,
    total: number | undefined,
  ): Promise<void> => {
    progress.begin(name, total);
    let result: PutResult;
    try {
      result = await namespace.put(name, progress.count(source), options);
    } finally {
      progress.end();
    }
    await printer.result(
      { namespace: id, ...result },
      `${plain(name)}  ${bytesText(result.size)}  version ${result.version}\n`,
    );
  };
  if (path === undefined) return store(name, io.stdin as AsyncIterable<Uint8Array>, undefined);
  if (!recursive) {
    const total = status?.isFile() === true ? status.size : undefined;
    return store(name, readFile(path), total);
  }
  const prefix = name === '' || name.endsWith('/') ? name : `${name}/`;
  await forEach(shell, filesBelow(path), async (below) => {
    const from = resolve(path, below);
    await store(prefix + below, readFile(from), (await look(from)).size);
  });
}

interface GetArguments extends NamespaceOptions, ContextOptions {
  readonly output?: string;
  readonly range?: string;
  readonly ofVersion?: string;
  readonly recursive?: boolean;
}

async function get(shell: Shell, id: string, name: string, given: GetArguments): Promise<void> {
  const { io, printer } = shell;
  const options: GetOptions = {
    ...contextOf(given.context),
    ...(given.range === undefined ? {} : { range: rangeOf(given.range) }),
    ...(given.ofVersion === undefined ? {} : { version: given.ofVersion }),
    signal: io.signal,
  };
  const output =
    given.output === undefined || given.output === '-' ? undefined : resolve(io.cwd, given.output);
  if (
    given.recursive === true &&
    (output === undefined || given.range !== undefined || given.ofVersion !== undefined)
  ) {
    throw new KeyboundError(
      'invalid-argument',
      'expected --output <folder> with --recursive, and neither --range nor --of-version',
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const fetch = async (
    name: string,
    to: (bytes: AsyncIterable<Uint8Array>, object: DecryptedObject) => Promise<void>,
  ): Promise<void> => {
    const object = await namespace.get(name, options);
    progress.begin(name, given.range === undefined ? object.size : undefined);
    try {
      await to(progress.count(object), object);
    } finally {
      progress.end();
      await object.cancel();
    }
  };
  if (output === undefined) {
    return fetch(name, async (bytes) => {
      for await (const piece of bytes) await write(io.stdout, piece);
    });
  }
  const save = (name: string, path: string): Promise<void> =>
    fetch(name, async (bytes, { size, version }) => {
      await writeFile(path, bytes);
      await printer.result(
        { namespace: id, name, size, version, file: path },
        `${plain(name)}  ${size === undefined ? '' : bytesText(size)}  ${plain(path)}\n`,
      );
    });
  if (given.recursive !== true) return save(name, output);
  await forEach(shell, namesBelow(namespace, name, io.signal), async (found) => {
    const path = pathBelow(output, found);
    await makeFolderOf(path);
    await save(found, path);
  });
}

interface ListArguments extends NamespaceOptions {
  readonly long?: boolean;
}

async function list(
  shell: Shell,
  id: string,
  prefix: string | undefined,
  given: ListArguments,
): Promise<void> {
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const options = prefix === undefined ? {} : { prefix };
  for await (const entry of namespace.list({ ...options, signal: shell.io.signal })) {
    const size = bytesText(entry.unauthenticatedStoredSize).padStart(9);
    const facts = given.long === true ? `${size}  ${entry.version}  ` : '';
    await shell.printer.result(entry, `${facts}${plain(entry.name)}\n`);
  }
}

interface RemoveArguments extends NamespaceOptions {
  readonly ifVersion?: string;
  readonly recursive?: boolean;
  readonly yes?: boolean;
}

async function remove(
  shell: Shell,
  id: string,
  names: readonly string[],
  given: RemoveArguments,
): Promise<void> {
  const { io, printer } = shell;
  if (given.ifVersion !== undefined && (names.length > 1 || given.recursive === true)) {
    throw new KeyboundError('invalid-argument', 'expected one object with --if-version, got several');
  }
  if (given.recursive === true && names.includes('') && given.yes !== true) {
    throw new KeyboundError(
      'invalid-argument',
      'expected --yes, as every object of the namespace would be deleted',
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const condition = given.ifVersion === undefined ? {} : { ifVersion: given.ifVersion };
  await forEach(
    shell,
    given.recursive === true ? below(namespace, names, io.signal) : each(names),
    async (name) => {
      if (!(await namespace.delete(name, { ...condition, signal: io.signal }))) {
        throw new KeyboundError('object-not-found', `namespace ${id}: there is no object ${quote(name)}`);
      }
      await printer.result({ namespace: id, name, deleted: true }, `${plain(name)}  deleted\n`);
    },
  );
}

// eslint-disable-next-line @typescript-eslint/require-await -- names come from either kind of list
async function* each(names: readonly string[]): AsyncGenerator<string> {
  yield* names;
}

async function* below(
  namespace: Namespace,
  prefixes: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const prefix of prefixes) yield* namesBelow(namespace, prefix, signal);
}

interface VerifyArguments extends NamespaceOptions, ContextOptions {
  readonly recursive?: boolean;
}

/** Reads objects to their end and keeps nothing of them. */
async function verify(
  shell: Shell,
  id: string,
  names: readonly string[],
  given: VerifyArguments,
): Promise<void> {
  const { io, printer } = shell;
  const options = { ...contextOf(given.context), signal: io.signal };
  const recursive = given.recursive === true;
  if (!recursive && names.length === 0) {
    throw new KeyboundError(
      'invalid-argument',
      'expected the name of an object, or --recursive for all of them',
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const prefixes = names.length === 0 ? [''] : names;
  await forEach(shell, recursive ? below(namespace, prefixes, io.signal) : each(names), async (name) => {
    const object = await namespace.get(name, options);
    progress.begin(name, object.size);
    let size = 0;
    try {
      for await (const piece of progress.count(object)) size += piece.length;
    } finally {
      progress.end();
    }
    await printer.result(
      { namespace: id, name, size, version: object.version, authentic: true },
      `${plain(name)}  ${bytesText(size)}  authentic\n`,
    );
  });
}

export function addObjects(program: Command, run: Run): void {
  const prefixHelp = 'every object whose name begins with <name>';
  withContext(trusting(program.command('put')))
    .argument('<namespace>')
    .argument('<name>', 'the object’s name; with --recursive what its names begin with')
    .argument('[file]', 'a file, or - for the standard input')
    .description('encrypt and store an object')
    .option('--recursive', 'every file below a folder')
    .option('--content-type <type>', 'media type, kept encrypted with the object')
    .option('--file-name <name>', 'a file name for people, kept encrypted with the object')
    .option('--pair <key=value>', 'kept encrypted with the object; may be repeated', collect)
    .option('--if-absent', 'never replace an object')
    .option('--if-version <version>', 'replace this very version only')
    .action((id: string, name: string, file: string | undefined, given: PutArguments) =>
      run((shell) => put(shell, id, name, file, given)),
    );
  withContext(trusting(program.command('get')))
    .argument('<namespace>')
    .argument('<name>')
    .description('decrypt an object')
    .option('-o, --output <file>', 'a file, written whole or not at all; a folder with --recursive')
    .option('--range <first-last>', 'some bytes only: first-last, first- or -length, both ends counted')
    .option('--of-version <version>', 'this very version only')
    .option('--recursive', prefixHelp)
    .action((id: string, name: string, given: GetArguments) => run((shell) => get(shell, id, name, given)));
  trusting(program.command('ls'))
    .argument('<namespace>')
    .argument('[prefix]')
    .description('list objects; needs no key')
    .option('-l, --long', 'with stored size and version')
    .action((id: string, prefix: string | undefined, given: ListArguments) =>
      run((shell) => list(shell, id, prefix, given)),
    );
  trusting(program.command('rm'))
    .argument('<namespace>')
    .argument('<name...>')
    .description('delete objects; needs no key')
    .option('--if-version <version>', 'this very version only')
    .option('--recursive', prefixHelp)
    .option('--yes', 'with --recursive and an empty name: yes, all of them')
    .action((id: string, names: string[], given: RemoveArguments) =>
      run((shell) => remove(shell, id, names, given)),
    );
  withContext(trusting(program.command('verify')))
    .argument('<namespace>')
    .argument('[name...]')
    .description('authenticate objects from end to end, and print nothing of them')
    .option('--recursive', 'every object whose name begins with <name>, or all')
    .action((id: string, names: string[], given: VerifyArguments) =>
      run((shell) => verify(shell, id, names, given)),
    );
}
