/*
 * init: a registry, its keys, and the configuration that names them.
 */
import { type Command } from 'commander';
import { rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { initRegistry, KeyboundError, parseKeyPolicy } from 'keybound';
import { localKeyring, type LocalKeyring } from 'keybound/local';
import { type Config, configText, createText, parseConfig, readText } from '../config.js';
import { type Run, type Shell } from '../shell.js';
import { passphraseOf, regionsOf, Setup } from '../setup.js';

interface InitArguments {
  readonly store: string;
  readonly keyLocation: string;
  readonly keyring: string;
  readonly workFactor?: string;
  readonly key: string;
  readonly recoveryKey: string;
  readonly recoveryFile: string;
}

/** Makes the keys that are named and not there yet. Returns their names. */
async function makeKeys(
  keyring: LocalKeyring,
  policies: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = policies.flatMap((policy) => policy.match(/local:\/\/[a-z0-9._-]+/g) ?? []);
  const names = [...new Set(wanted)].map((uri) => uri.slice('local://'.length));
  const made: string[] = [];
  for (const name of names) {
    const known = await keyring.listKeys({ signal }).catch((error: unknown) => {
      if (error instanceof KeyboundError && error.code === 'misconfigured') return [];
      throw error;
    });
    if (known.some((key) => key.name === name)) continue;
    await keyring.createKey(name, { signal });
    made.push(name);
  }
  return made;
}

async function init({ io, globals, printer }: Shell, given: InitArguments): Promise<void> {
  const path = Setup.pathOf(io, globals);
  const base = dirname(path);
  const recoveryPath = resolve(base, given.recoveryFile);
  if (path === recoveryPath) {
    throw new KeyboundError(
      'invalid-argument',
      'expected two files, got one for the configuration and the recovery root',
    );
  }
  for (const taken of [path, recoveryPath]) {
    if ((await readText(taken)) === null) continue;
    throw new KeyboundError('invalid-argument', `there is ${taken} already: a registry is made once`);
  }
  const region = globals.region ?? 'main';
  const skeleton = {
    regions: { [region]: { store: given.store, keyLocations: [given.keyLocation] } },
    keys: {
      local: {
        keyring: given.keyring,
        ...(given.workFactor === undefined
          ? {}
          : { workFactor: /^\d{1,2}$/.test(given.workFactor) ? Number(given.workFactor) : given.workFactor }),
      },
    },
    marks: 'keybound-marks',
  };
  // Checked with what is not known yet filled in, before anything is made.
  const blank = { registry: '0'.repeat(32), roots: [{ publicKey: 'A'.repeat(43), status: 'active' }] };
  const checked = parseConfig(JSON.stringify({ ...blank, ...skeleton }), path);
  const [key, recoveryKey] = [parseKeyPolicy(given.key), parseKeyPolicy(given.recoveryKey)];
  const keyringPath = resolve(base, given.keyring);
  const keyring = localKeyring(keyringPath, {
    passphrase: passphraseOf(io, keyringPath),
    workFactor: checked.keys.local?.workFactor,
  });
  const { signal } = io;
  const made = await makeKeys(keyring, [given.key, given.recoveryKey], signal);
  const { config, recovery } = await initRegistry({
    regions: regionsOf(skeleton, base),
    keys: [keyring],
    key,
    recoveryKey,
    signal,
  });
  const { registry, roots, signing } = config;
  const written: Config = {
    ...checked,
    registry,
    roots: roots.map((root) => ({ ...root })),
    signing: [{ publicKey: signing.publicKey, region: signing.region, key: given.key }],
  };
  await createText(recoveryPath, `${JSON.stringify({ ...recovery, key: given.recoveryKey }, null, 2)}\n`);
  try {
    await createText(path, configText(written));
  } catch (error) {
    // Worth nothing without the configuration, and in the way when `init` is repeated.
    await rm(recoveryPath, { force: true });
    throw error;
  }
  await printer.result(
    { registry, region, config: path, recovery: recoveryPath, keyring: keyringPath, keysMade: made },
    `made registry ${registry}\n` +
      `  configuration  ${relative(io.cwd, path)}\n` +
      `  keyring        ${relative(io.cwd, keyringPath)}${made.length > 0 ? ` (made keys ${made.join(', ')})` : ''}\n` +
      `  recovery root  ${relative(io.cwd, recoveryPath)}: move it, and a copy of its key, to where this machine cannot lose them\n`,
  );
  await printer.note(
    'Next: keybound key create acme && keybound namespace create acme --key local://acme && echo hello | keybound put acme hello.txt',
  );
}

export function addInit(program: Command, run: Run): void {
  program
    .command('init')
    .description('make a registry with one region (--region, or main), and keybound.json')
    .option('--store <url>', 'the region’s store', 'file:keybound-store')
    .option('--key-location <location>', 'where keys for the region may live', 'local')
    .option('--keyring <file>', 'the keyring of local:// keys', 'keyring.age')
    .option('--work-factor <number>', 'of the keyring’s passphrase: log2 of scrypt’s N (default: 18)')
    .option('-k, --key <policy>', 'the service’s key that wraps the root', 'local://service')
    .option('--recovery-key <policy>', 'the key that wraps the recovery root', 'local://recovery')
    .option('--recovery-file <file>', 'where the recovery root is written', 'keybound-recovery.json')
    .action((given: InitArguments) => run((shell) => init(shell, given)));
}
