/*
 * doctor: what is wrong with an installation, and how to mend it.
 */
import { type Command } from 'commander';
import { resolve } from 'node:path';
import { engines, version } from '../../../package.json';
import { errorCodes, type Keybound, KeyboundError, type NamespaceDescription } from 'keybound';
import { type Run, type Shell } from '../shell.js';
import { plain, policyText } from '../output.js';
import { regionsOf, type Setup } from '../setup.js';
import { namespacesOf } from './namespaces.js';

type State = 'ok' | 'warning' | 'wrong';

interface Finding {
  readonly state: State;
  /** What was looked at: `config`, `clock`, `region eu`, `namespace acme`. */
  readonly about: string;
  readonly what: string;
  readonly mend?: string;
}

const marks: Record<State, string> = { ok: '✓', warning: '!', wrong: '✗' };

/** A binding may be so much younger than this clock says it can be, before that is worth a word. */
const skewMs = 5 * 60_000;
/** Of 512 generations that a binding can list. */
const manyGenerations = 448;

/** What an error means for whoever runs the doctor. */
const wrong = (about: string, error: unknown): Finding => {
  if (!(error instanceof KeyboundError)) throw error;
  return { state: 'wrong', about, what: error.message, mend: errorCodes[error.code].advice };
};

function platform(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = engines.node.replace('>=', '').split('.').map(Number);
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  const what = `keybound ${version} on Node ${process.versions.node} (OpenSSL ${process.versions.openssl}), ${process.platform}`;
  return {
    state: enough ? 'ok' : 'wrong',
    about: 'versions',
    what,
    ...(enough ? {} : { mend: `use Node ${engines.node}` }),
  };
}

async function region(setup: Setup, name: string): Promise<Finding> {
  const about = `region ${name}`;
  try {
    const store = regionsOf(setup.config, setup.base)[name]?.store;
    if (store === undefined) {
      throw new KeyboundError('misconfigured', `there is no region ${name} in ${setup.path}`);
    }
    const { location, conditionalCreate, conditionalReplace } = await store.describe();
    if (!conditionalCreate) {
      return {
        state: 'wrong',
        about,
        what: 'its store cannot create objects conditionally, so it cannot hold bindings',
        mend: errorCodes['store-unsupported'].advice,
      };
    }
    const lacking = conditionalReplace ? '' : ', but cannot replace conditionally';
    return {
      state: lacking === '' ? 'ok' : 'warning',
      about,
      what: `its store is in ${location} and creates objects conditionally${lacking}`,
    };
  } catch (error) {
    return wrong(about, error);
  }
}

/** Whether a root's wrapped seed is where SPEC.md §11 puts it. */
async function seed(setup: Setup, name: string, kid: string): Promise<Finding> {
  const about = `root ${kid}`;
  try {
    const folder = `keybound/${setup.config.registry}/signing-keys`;
    const found = await regionsOf(setup.config, setup.base)[name]?.store.head({ folder, name: kid });
    return found === null || found === undefined
      ? {
          state: 'wrong',
          about,
          what: `its wrapped seed is missing from region ${name}, so it cannot sign`,
          mend: 'restore the store, check its URL, or sign with the recovery root',
        }
      : { state: 'ok', about, what: `its wrapped seed is in region ${name}` };
  } catch (error) {
    return wrong(about, error);
  }
}

/** States of a key that leave it usable, as far as the KMS tells. */
const usable: readonly string[] = ['enabled', 'unknown'];

async function key(setup: Setup, uri: string, signal: AbortSignal): Promise<Finding> {
  const about = `key ${uri}`;
  try {
    const { state, location } = await setup.keyring().describe(uri, { signal });
    return usable.includes(state)
      ? { state: 'ok', about, what: `${state}, in ${location}` }
      : { state: 'warning', about, what: `${state}: what it protects cannot be read`, mend: 'ask its owner' };
  } catch (error) {
    return wrong(about, error);
  }
}

async function* namespace(
  keybound: Keybound,
  found: NamespaceDescription,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const about = `namespace ${found.id}`;
  const root = keybound.roots.find(({ kid }) => kid === found.root);
  yield {
    state: found.status === 'active' ? 'ok' : 'warning',
    about,
    what: `${found.status}, epoch ${String(found.epoch)}, signed by root ${root?.kid ?? found.root}, key ${policyText(found.policy)}`,
  };
  if (found.ownerCannotRevoke) {
    yield {
      state: 'warning',
      about,
      what: 'its owner does not hold the switch',
      mend: 'add a key of the owner’s to every alternative of its policy',
    };
  }
  if (found.generations.length >= manyGenerations) {
    yield {
      state: 'warning',
      about,
      what: `it has ${String(found.generations.length)} of at most 512 generations`,
      mend: 'rotate less often',
    };
  }
  const ahead = found.updatedAt.getTime() - Date.now();
  if (ahead > skewMs) {
    yield {
      state: 'wrong',
      about: 'clock',
      what: `this machine’s clock is behind: namespace ${found.id} was changed at ${found.updatedAt.toISOString()}, which is ${String(Math.round(ahead / 60_000))} minutes from now`,
      mend: 'set the clock',
    };
  }
  if (found.status !== 'active') return;
  try {
    const { id, region } = found;
    const handle = await keybound.open(id, { region, signal });
    const name = 'keybound doctor';
    const record = await handle.encryptRecord(name, new Uint8Array(1), { signal });
    await handle.decryptRecord(name, record, { signal });
    yield { state: 'ok', about, what: 'its key unlocks it: a record was encrypted and decrypted' };
  } catch (error) {
    yield wrong(about, error);
  }
}

async function* examine(shell: Shell, only: string | undefined): AsyncGenerator<Finding> {
  yield platform();
  let setup: Setup;
  let keybound: Keybound;
  try {
    setup = await shell.setup();
    keybound = await setup.open();
  } catch (error) {
    yield wrong('config', error);
    return;
  }
  yield { state: 'ok', about: 'config', what: `${setup.path}, registry ${setup.config.registry}` };
  if (setup.config.marks === undefined) {
    yield {
      state: 'warning',
      about: 'config',
      what: 'no marks are kept: a store that shows an older binding would be believed',
      mend: 'name a folder at `marks`',
    };
  } else {
    yield {
      state: 'ok',
      about: 'config',
      what: `marks are kept in ${resolve(setup.base, setup.config.marks)}`,
    };
  }
  if (keybound.roots.filter(({ status }) => status === 'active').length < 2) {
    yield {
      state: 'warning',
      about: 'roots',
      what: 'only one root is active: if it is lost, nothing can be administered any more',
      mend: 'add another with `keybound root add`',
    };
  }
  for (const name of setup.regionsMeant) yield await region(setup, name);
  for (const signing of setup.config.signing ?? []) {
    const kid = keybound.roots.find(({ publicKey }) => publicKey === signing.publicKey)?.kid;
    if (signing.wrapped === undefined) yield await seed(setup, signing.region, kid ?? '');
  }
  const uris = new Map((setup.config.signing ?? []).map(({ key: policy }) => [policy, policy]));
  let examined = 0;
  try {
    for await (const { id, region: where, found } of namespacesOf(
      keybound,
      setup.regionsMeant,
      shell.io.signal,
      only,
    )) {
      examined++;
      if (found instanceof KeyboundError) {
        yield wrong(`namespace ${id} in region ${where}`, found);
        continue;
      }
      for (const { uri } of found.policy.flat()) uris.set(uri, uri);
      yield* namespace(keybound, found, shell.io.signal);
    }
  } catch (error) {
    yield wrong('namespaces', error);
  }
  if (only !== undefined && examined === 0) {
    yield {
      state: 'wrong',
      about: `namespace ${only}`,
      what: `it does not exist in ${setup.regionsMeant.join(', ')}`,
      mend: errorCodes['namespace-not-found'].advice,
    };
  }
  for (const uri of uris.keys()) {
    if (/^local:\/\/[a-z0-9._-]+$/.test(uri)) yield await key(setup, uri, shell.io.signal);
  }
}

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .argument('[namespace]', 'look at this namespace only')
    .description(
      'what is wrong with the configuration, stores, keys, clock and namespaces, and how to mend it',
    )
    .action((only: string | undefined) =>
      run(async (shell) => {
        const count: Record<State, number> = { ok: 0, warning: 0, wrong: 0 };
        for await (const finding of examine(shell, only)) {
          const { state, about, what, mend } = finding;
          count[state]++;
          const advice = mend === undefined ? '' : `\n    → ${mend}`;
          await shell.printer.result(finding, `${marks[state]} ${plain(about)}: ${plain(what)}${advice}\n`);
        }
        await shell.printer.note(
          `${String(count.ok)} fine, ${String(count.warning)} worth a look, ${String(count.wrong)} wrong`,
        );
        if (count.wrong > 0) shell.fail(1);
      }),
    );
}
