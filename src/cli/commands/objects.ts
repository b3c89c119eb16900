/*
 * put, get, ls, rm, verify: what a namespace holds.
 */
import { type Command } from 'commander';
import { KeyboundError } from 'keybound';
import { collect } from '../arguments.js';
import { below, each, forEach } from '../many.js';
import { bytesText, plain } from '../output.js';
import { quote } from '../quote.js';
import { type Run, type Shell } from '../shell.js';
import { type NamespaceOptions, openOptions, trusting, withContext } from './options.js';
import { get, type GetArguments, put, type PutArguments, verify, type VerifyArguments } from './transfers.js';

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
