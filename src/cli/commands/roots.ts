/*
 * root add, retire, list: who may sign bindings.
 */
import { type Command } from 'commander';
import { type Keybound, KeyboundError, parseKeyPolicy } from 'keybound';
import { type Config, configText, replaceText } from '../config.js';
import { type Run, type Shell } from '../shell.js';
import { plain, table } from '../output.js';
import { type Setup } from '../setup.js';

type Root = Keybound['roots'][number];

function factsOf({ config }: Setup, root: Root) {
  const signing = config.signing?.find(({ publicKey }) => publicKey === root.publicKey);
  return { ...root, signsWith: signing?.key ?? null };
}

const row = ({ kid, status, signsWith }: ReturnType<typeof factsOf>): string[] => [
  kid,
  status,
  signsWith === null ? 'cannot sign here' : `signs with ${signsWith}`,
];

async function list({ setup: load, printer }: Shell): Promise<void> {
  const setup = await load();
  const roots = (await setup.open()).roots.map((root) => factsOf(setup, root));
  if (!printer.json) await printer.result(roots, table(roots.map(row)));
  else for (const root of roots) await printer.result(root, '');
}

async function add({ setup: load, io, globals, printer }: Shell, { key }: { key: string }): Promise<void> {
  const setup = await load();
  const { config } = setup;
  const policy = parseKeyPolicy(key);
  const region = globals.region ?? config.signing?.[0]?.region;
  const made = await (
    await setup.open()
  ).addRoot({ key: policy, ...(region === undefined ? {} : { region }), signal: io.signal });
  const { publicKey } = made.root;
  const next: Config = {
    ...config,
    roots: [...config.roots, { publicKey, status: 'active' }],
    signing: [...(config.signing ?? []), { publicKey, region: made.signing.region, key }],
  };
  await replaceText(setup.path, setup.text, configText(next));
  await printer.result(
    { ...made.root, region: made.signing.region, key },
    `added root ${publicKey} to ${setup.path}\n`,
  );
  await printer.note(
    'Give it, as an active root, to every process that opens the registry before anything is signed with it.',
  );
}

/** The root meant by its key id, or by the beginning of it. */
function find(roots: readonly Root[], kid: string): Root {
  const found = roots.filter((root) => root.kid.startsWith(kid));
  const [root, second] = found;
  if (kid !== '' && root !== undefined && second === undefined) return root;
  throw new KeyboundError(
    'invalid-argument',
    `expected the key id of a root, or the beginning of just one, got ${JSON.stringify(kid).slice(0, 60)}; \`keybound root list\` has them`,
  );
}

/** Has another root sign every chain again, in every region; only then is the root marked as retired. */
async function retire(shell: Shell, kid: string): Promise<void> {
  const { io, printer } = shell;
  const setup = await shell.setup();
  const { config } = setup;
  const root = find((await setup.open()).roots, kid);
  const keybound = await setup.open({ signing: true, otherThan: root.publicKey });
  let [signed, total, failures] = [0, 0, 0];
  for (const region of setup.regionNames) {
    for await (const one of keybound.signAgain({ region, signal: io.signal })) {
      total++;
      if (one.signed) signed++;
      if (one.error !== undefined) {
        failures++;
        shell.fail((await printer.failure(one.error)).exitCode);
      }
    }
  }
  if (failures > 0) {
    await printer.note(
      `root ${root.kid} stays active: ${String(failures)} of ${String(total)} namespaces could not be signed again; mend them and repeat`,
    );
    return;
  }
  const next: Config = {
    ...config,
    roots: config.roots.map((one) =>
      one.publicKey === root.publicKey ? { ...one, status: 'retired' as const } : one,
    ),
    ...(config.signing === undefined
      ? {}
      : { signing: config.signing.filter(({ publicKey }) => publicKey !== root.publicKey) }),
  };
  if (configText(next) !== configText(config)) await replaceText(setup.path, setup.text, configText(next));
  await printer.result(
    { kid: root.kid, publicKey: root.publicKey, status: 'retired', namespaces: total, signed },
    `retired root ${root.kid}: ${String(signed)} of ${String(total)} namespaces signed again\n`,
  );
  await printer.note(`Mark it as retired in every other process too; ${plain(setup.path)} does so now.`);
}

export function addRoots(program: Command, run: Run): void {
  const command = program.command('root').description('root keys, which sign bindings');
  command
    .command('add')
    .description('make another root, and add it to the configuration')
    .requiredOption('-k, --key <policy>', 'the service’s key that wraps it, such as local://service')
    .action((given: { key: string }) => run((shell) => add(shell, given)));
  command
    .command('retire')
    .argument('<kid>', 'its key id, or the beginning of it')
    .description('have another root sign every binding again, and retire this one; may be repeated')
    .action((kid: string) => run((shell) => retire(shell, kid)));
  command
    .command('list')
    .description('the roots that are believed')
    .action(() => run(list));
}
