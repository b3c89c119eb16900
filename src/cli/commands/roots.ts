/*
 * root add, retire, list: who may sign bindings.
 */
import { type Command } from 'commander';
import { type Keybound, KeyboundError, parseKeyPolicy } from 'keybound';
import { type Config, configText, replaceText } from '../config.js';
import { type Run, type Shell } from '../shell.js';
import { plain, table } from '../output.js';
import { quote } from '../quote.js';
import { Setup } from '../setup.js';

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
    `added root ${publicKey} to ${plain(setup.path)}\n`,
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
    `expected the key id of a root, or the beginning of just one, got ${quote(kid, 60)}; \`keybound root list\` has them`,
  );
}

/** What the configuration says once a root signs nothing any more, and once nothing needs it. */
function without(config: Config, publicKey: string, retired: boolean): Config {
  const status = (root: Config['roots'][number]): Config['roots'][number] =>
    root.publicKey === publicKey ? { ...root, status: 'retired' } : root;
  return {
    ...config,
    ...(retired ? { roots: config.roots.map(status) } : {}),
    ...(config.signing === undefined
      ? {}
      : { signing: config.signing.filter((signing) => signing.publicKey !== publicKey) }),
  };
}

/** Writes a configuration over the one that was read, if it says something else. Returns how it reads then. */
async function rewrite({ io, globals }: Shell, setup: Setup, next: Config): Promise<Setup> {
  if (configText(next) === configText(setup.config)) return setup;
  await replaceText(setup.path, setup.text, configText(next));
  return Setup.load(io, globals);
}

interface Pass {
  readonly total: number;
  readonly signed: number;
  readonly failures: number;
}

/** Signs every chain of every region again, and complains of each that cannot be. */
async function signAll({ io, printer, fail }: Shell, setup: Setup, keybound: Keybound): Promise<Pass> {
  let [total, signed, failures] = [0, 0, 0];
  for (const region of setup.regionNames) {
    for await (const one of keybound.signAgain({ region, signal: io.signal })) {
      total++;
      if (one.signed) signed++;
      if (one.error === undefined) continue;
      failures++;
      fail((await printer.failure(one.error)).exitCode);
    }
  }
  return { total, signed, failures };
}

/**
 * Has another root sign every chain again, in every region; only then is the root marked as retired. It is taken from
 * those that sign first of all, so that neither of two who retire roots at once relies on the other's.
 */
async function retire(shell: Shell, kid: string): Promise<void> {
  const { io, printer } = shell;
  const before = await shell.setup();
  const root = find((await before.open()).roots, kid);
  const { publicKey } = root;
  const keybound = await before.open({ signing: true, otherThan: publicKey });
  if (!keybound.canSign) {
    throw new KeyboundError(
      'no-signing-key',
      `no other active root can sign here: add one with \`keybound root add\`, then retire root ${root.kid}`,
    );
  }
  const during = await rewrite(shell, before, without(before.config, publicKey, false));
  const { total, signed, failures } = await signAll(shell, during, keybound);
  if (failures > 0) {
    await printer.note(
      root.status === 'active'
        ? `root ${root.kid} stays active: ${String(failures)} of ${String(total)} namespaces could not be signed again; mend them and repeat`
        : `${String(failures)} of ${String(total)} namespaces could not be signed again: where root ${root.kid} signed them after it retired, mark it as active in ${plain(during.path)} and repeat`,
    );
    return;
  }
  const after = await rewrite(shell, during, without(during.config, publicKey, true));
  // Somebody may have signed with it meanwhile, from another configuration.
  const late = await refusedBy(await after.open(), after.regionNames, io.signal);
  for (const error of late) shell.fail((await printer.failure(error)).exitCode);
  if (late.length > 0) {
    await printer.note(
      `root ${root.kid} signed them meanwhile: mark it as active again in ${plain(after.path)}, and repeat`,
    );
    return;
  }
  await printer.result(
    { kid: root.kid, publicKey, status: 'retired', namespaces: total, signed },
    `retired root ${root.kid}: ${String(signed)} of ${String(total)} namespaces signed again\n`,
  );
  await printer.note(`Mark it as retired in every other process too; ${plain(after.path)} does so now.`);
}

/** Why namespaces are refused for their root. */
async function refusedBy(
  keybound: Keybound,
  regions: readonly string[],
  signal: AbortSignal,
): Promise<KeyboundError[]> {
  const refused: KeyboundError[] = [];
  for (const region of regions) {
    for await (const id of keybound.list({ region, signal })) {
      try {
        await keybound.open(id, { region, signal });
      } catch (error) {
        if (!(error instanceof KeyboundError) || error.code === 'aborted') throw error;
        if (error.code === 'root-not-trusted') refused.push(error);
      }
    }
  }
  return refused;
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
