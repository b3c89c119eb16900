/*
 * namespace create, list, show, suspend, resume, rotate.
 */
import { type Command } from 'commander';
import {
  type CreateOptions,
  type Keybound,
  KeyboundError,
  type Namespace,
  type NamespaceDescription,
  parseKeyPolicy,
} from 'keybound';
import { type Run, type Shell } from '../shell.js';
import { plain, policyText, table } from '../output.js';
import { type NamespaceOptions, trusting } from './options.js';

/** A description as people read it. */
export function describeText(namespace: NamespaceDescription): string {
  const active = namespace.generations.find(({ status }) => status === 'active');
  const rows: [string, string | null][] = [
    ['namespace', namespace.id],
    ['region', namespace.region],
    ['status', namespace.status],
    ['key', policyText(namespace.policy)],
    ['switch', namespace.ownerCannotRevoke ? 'the owner does NOT hold it' : 'the owner holds it'],
    ['owner', namespace.owner],
    ['parent', namespace.parent],
    ['data class', namespace.dataClass],
    ['generation', `${String(active?.number ?? 'none')} of ${String(namespace.generations.length)}`],
    ['lease', `${String(namespace.leaseMs / 1000)} s`],
    ['epoch', String(namespace.epoch)],
    ['root', namespace.root],
    ['created', namespace.createdAt.toISOString()],
    ['updated', namespace.updatedAt.toISOString()],
    ['instance', namespace.instance],
    ['trust', namespace.trust],
  ];
  return table(rows.flatMap(([name, value]) => (value === null ? [] : [[name, plain(value)]])));
}

interface CreateArguments {
  readonly key: string;
  readonly owner?: string;
  readonly parent?: string;
  readonly dataClass?: string;
  readonly ownerCannotRevoke?: boolean;
}

async function create(
  { setup, io, globals, printer }: Shell,
  id: string,
  given: CreateArguments,
): Promise<void> {
  const options: CreateOptions = {
    key: parseKeyPolicy(given.key),
    ...(given.owner === undefined ? {} : { owner: given.owner }),
    ...(given.parent === undefined ? {} : { parent: given.parent }),
    ...(given.dataClass === undefined ? {} : { dataClass: given.dataClass }),
    ...(given.ownerCannotRevoke === true ? { ownerCannotRevoke: true } : {}),
    ...(globals.region === undefined ? {} : { region: globals.region }),
    signal: io.signal,
  };
  const keybound = await (await setup()).open({ signing: true });
  const description = await (await keybound.create(id, options)).describe();
  await printer.result(description, describeText(description));
}

/** Every namespace of these regions, or the one meant, with its description or why there is none. */
export async function* namespacesOf(
  keybound: Keybound,
  regions: readonly string[],
  signal: AbortSignal,
  only?: string,
): AsyncGenerator<{ id: string; region: string; found: NamespaceDescription | KeyboundError }> {
  for (const region of regions) {
    for await (const id of keybound.list({ region, signal })) {
      if (only !== undefined && id !== only) continue;
      let found: NamespaceDescription | KeyboundError;
      try {
        found = await (await keybound.open(id, { region, signal })).describe({ signal });
      } catch (error) {
        if (!(error instanceof KeyboundError) || error.code === 'aborted') throw error;
        // A folder without a binding: a creation that never came to an end.
        if (error.code === 'namespace-not-found') continue;
        found = error;
      }
      yield { id, region, found };
    }
  }
}

async function list(shell: Shell, { key }: { key?: string }): Promise<void> {
  if (key !== undefined && !/^[a-z][a-z0-9-]*:\/\/./.test(key)) {
    throw new KeyboundError(
      'invalid-argument',
      'expected --key with a key URI such as local://acme, got something else',
    );
  }
  const rows: string[][] = [];
  const setup = await shell.setup();
  const all = namespacesOf(await setup.open(), setup.regionsMeant, shell.io.signal);
  for await (const { id, region, found } of all) {
    if (found instanceof KeyboundError) {
      shell.fail((await shell.printer.failure(found)).exitCode);
      continue;
    }
    if (key !== undefined && !found.policy.flat().some(({ uri }) => uri === key)) continue;
    if (shell.printer.json) await shell.printer.result(found, '');
    else rows.push([id, region, found.status, policyText(found.policy), plain(found.owner ?? '')]);
  }
  if (!shell.printer.json) await shell.printer.result(rows, table(rows));
  if (rows.length === 0) await shell.printer.note('there is none');
}

type Verb = 'suspend' | 'resume' | 'rotate';

/** How a verb is described, and how it is done. */
const verbs: Record<
  Verb,
  [description: string, change: (namespace: Namespace, signal: AbortSignal) => Promise<NamespaceDescription>]
> = {
  suspend: [
    'stop all use within a lease; takes no key of the owner’s',
    (namespace, signal) => namespace.suspend({ signal }),
  ],
  resume: [
    'take a suspension back; takes the owner’s key',
    (namespace, signal) => namespace.resume({ signal }),
  ],
  rotate: [
    'encrypt what is written from now on under a new namespace key',
    (namespace, signal) => namespace.rotate({ signal }),
  ],
};

export function addNamespaces(program: Command, run: Run): void {
  const command = program.command('namespace').description('tenants, each bound to a key and a region');
  command
    .command('create')
    .argument('<id>')
    .description('make a namespace')
    .requiredOption(
      '-k, --key <policy>',
      'the owner’s key: local://acme, or anyOf(…), allOf(…), serviceKey(…)',
    )
    .option('--owner <name>', 'whose it is')
    .option('--parent <id>', 'the namespace it belongs to')
    .option('--data-class <name>', 'what kind of data it holds')
    .option('--owner-cannot-revoke', 'accept a policy in which the owner does not hold the switch')
    .action((id: string, given: CreateArguments) => run((shell) => create(shell, id, given)));
  command
    .command('list')
    .description('list namespaces, verified')
    .option('-k, --key <uri>', 'only those that depend on this key')
    .action((given: { key?: string }) => run((shell) => list(shell, given)));
  trusting(command.command('show'))
    .argument('<id>')
    .description('what its newest binding says, verified; asks no KMS')
    .action((id: string, given: NamespaceOptions) =>
      run(async ({ setup, io, printer }) => {
        const namespace = await (await setup()).namespace(id, given);
        const description = await namespace.describe({ signal: io.signal });
        await printer.result(description, describeText(description));
      }),
    );
  for (const [verb, [description, change]] of Object.entries(verbs)) {
    trusting(command.command(verb))
      .argument('<id>')
      .description(description)
      .action((id: string, given: NamespaceOptions) =>
        run(async ({ setup, io, printer }) => {
          const namespace = await (await setup()).namespace(id, { ...given, signing: true });
          const changed = await change(namespace, io.signal);
          await printer.result(changed, describeText(changed));
        }),
      );
  }
}
