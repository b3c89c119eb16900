/*
 * The command line: from arguments to an exit status.
 */
import { Command, CommanderError } from 'commander';
import { KeyboundError } from 'keybound';
import { version } from '../../package.json';
import { addCompletion } from './commands/completion.js';
import { addDoctor } from './commands/doctor.js';
import { addInit } from './commands/init.js';
import { addInspect } from './commands/inspect.js';
import { addKeys } from './commands/keys.js';
import { addNamespaces } from './commands/namespaces.js';
import { addObjects } from './commands/objects.js';
import { addRoots } from './commands/roots.js';
import { type Io } from './io.js';
import { Printer } from './output.js';
import { type GlobalOptions, Setup } from './setup.js';
import { type Run, type Shell } from './shell.js';

/** The other end of the output went away, as `head` does. */
const isBrokenPipe = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'EPIPE';

function build(run: Run): Command {
  const program = new Command('keybound')
    .description(
      'Control of their own data for each of your customers: encrypted under their keys, in their region.',
    )
    .version(version)
    .option('-c, --config <file>', 'the configuration (default: $KEYBOUND_CONFIG, or keybound.json)')
    .option('-r, --region <name>', 'the region, where there are several')
    .option('--signing <file>', 'sign with the root in this file, such as the recovery root')
    .option('--json', 'print one JSON document per line')
    .option('-q, --quiet', 'no progress, no remarks')
    .showHelpAfterError('(try: keybound --help)');
  addInit(program, run);
  addNamespaces(program, run);
  addObjects(program, run);
  addInspect(program, run);
  addKeys(program, run);
  addRoots(program, run);
  addDoctor(program, run);
  addCompletion(program, run);
  return program;
}

/** Every command writes where `io` says, and throws instead of ending the process. */
function tame(command: Command, io: Io, complain: (text: string) => void): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: complain,
    getOutHelpWidth: () => io.stdout.columns ?? 80,
    getErrHelpWidth: () => io.stderr.columns ?? 80,
  });
  for (const child of command.commands) tame(child, io, complain);
}

/** Runs one command. Resolves with its exit status (docs/cli.md); never rejects. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let status = 0;
  const program = build(async (action) => {
    const globals = program.opts<GlobalOptions>();
    const printer = new Printer(io, globals.json === true, globals.quiet === true);
    let setup: Promise<Setup> | undefined;
    const shell: Shell = {
      io,
      printer,
      globals,
      setup: () => (setup ??= Setup.load(io, globals)),
      fail: (code) => {
        status ||= code;
      },
    };
    try {
      await action(shell);
    } catch (error) {
      if (isBrokenPipe(error)) status = 141;
      else status = (await printer.failure(error)).exitCode;
    }
  });
  // With --json it is one document, like any other complaint.
  const complaints: string[] = [];
  const asJson = args.includes('--json');
  tame(program, io, (text) => {
    if (asJson) complaints.push(text);
    else io.stderr.write(text);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no errors. Otherwise commander has said what was wrong.
      if (error.exitCode === 0) return 0;
      if (!asJson) return 2;
      const [message = ''] = complaints.join('').split('\n');
      const usage = new KeyboundError('invalid-argument', message.replace(/^error: /, ''));
      return (await new Printer(io, true, true).failure(usage)).exitCode;
    }
    return isBrokenPipe(error) ? 141 : 1;
  }
  return status;
}
