/*
 * key create, list, disable, enable, destroy: the local keyring.
 */
import { type Command } from 'commander';
import { KeyboundError } from 'keybound';
import { type LocalKeyInfo, type LocalKeyring } from 'keybound/local';
import { type Run, type Shell } from '../shell.js';
import { table } from '../output.js';
import { quote } from '../quote.js';

const row = ({ name, state, uri, createdAt }: LocalKeyInfo): string[] => [name, state, uri, createdAt];

type Verb = 'create' | 'disable' | 'enable';

const verbs: Record<
  Verb,
  [
    description: string,
    turn: (keyring: LocalKeyring, name: string, signal: AbortSignal) => Promise<LocalKeyInfo>,
  ]
> = {
  create: [
    'make a key, and the keyring if there is none',
    (keyring, name, signal) => keyring.createKey(name, { signal }),
  ],
  disable: [
    'make a key refuse everything, from the next call on: the owner’s switch',
    (keyring, name, signal) => keyring.disableKey(name, { signal }),
  ],
  enable: ['make a disabled key work again', (keyring, name, signal) => keyring.enableKey(name, { signal })],
};

async function destroy(
  { setup, io, printer }: Shell,
  name: string,
  { yes }: { yes?: boolean },
): Promise<void> {
  if (yes !== true) {
    throw new KeyboundError(
      'invalid-argument',
      `expected --yes: destroying key ${quote(name)} makes what it protects unreadable for good (\`keybound namespace list --key local://…\` tells what that is)`,
    );
  }
  const info = await (await setup()).keyring().destroyKey(name, { signal: io.signal });
  await printer.result(info, table([row(info)]));
}

export function addKeys(program: Command, run: Run): void {
  const command = program.command('key').description('keys of the local keyring');
  for (const [verb, [description, turn]] of Object.entries(verbs)) {
    command
      .command(verb)
      .argument('<name>')
      .description(description)
      .action((name: string) =>
        run(async ({ setup, io, printer }) => {
          const info = await turn((await setup()).keyring(), name, io.signal);
          await printer.result(info, table([row(info)]));
        }),
      );
  }
  command
    .command('list')
    .description('all keys, destroyed ones too')
    .action(() =>
      run(async ({ setup, io, printer }) => {
        const keys = await (await setup()).keyring().listKeys({ signal: io.signal });
        if (!printer.json) await printer.result(keys, table(keys.map(row)));
        else for (const key of keys) await printer.result(key, '');
      }),
    );
  command
    .command('destroy')
    .argument('<name>')
    .description('destroy a key for good: what it protects is gone')
    .option('--yes', 'yes, for good')
    .action((name: string, given: { yes?: boolean }) => run((shell) => destroy(shell, name, given)));
}
