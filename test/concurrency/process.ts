/*
 * A process of its own, on a file store that it shares with others: creates, suspends, resumes, rotates, puts and gets,
 * and says on its standard output what was acknowledged. Then, once told, how long it could still use the namespace.
 *
 * Arguments: a file with the setting, its own name, a seed.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { KeyboundError, type Namespace, openKeybound, type RegistryConfig } from '../../src/index.js';
import { localKeys } from '../../src/keys/providers/local/index.js';
import { fileStore } from '../../src/storage/stores/file/index.js';
import { Rng } from '../support/rng.js';
import { type Call, refusals } from './refusals.js';

export interface Setting {
  readonly config: RegistryConfig;
  readonly folder: string;
  /** Keys by name, in hex: made for this test alone. */
  readonly keys: Readonly<Record<string, string>>;
  readonly actions: number;
}

/** What it says, one line of JSON each. */
export type Report =
  | { readonly type: 'outcome'; readonly call: Call; readonly code: string }
  | { readonly type: 'made'; readonly verb: string; readonly epoch: number }
  | { readonly type: 'kept'; readonly name: string; readonly version: string; readonly digest: string }
  /** The first is said before the namespace is suspended, the second once it was refused. */
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly at: number };

const say = (report: Report): void => {
  process.stdout.write(`${JSON.stringify(report)}\n`);
};
const digestOf = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex');

const [settingFile = '', name = '', seed = ''] = process.argv.slice(2);
// The test wrote it.
const { config, folder, keys, actions } = JSON.parse(readFileSync(settingFile, 'utf8')) as Setting;
const rng = new Rng(Number(seed));
const keybound = openKeybound({
  ...config,
  regions: { eu: { store: fileStore(folder), keyLocations: ['local'] } },
  keys: [localKeys(keys)],
  onEvent: (event) => {
    if (event.type === 'binding-changed') say({ type: 'made', verb: event.verb, epoch: event.epoch });
  },
});

async function attempt<T>(call: Call, work: () => Promise<T>): Promise<T | null> {
  try {
    const value = await work();
    say({ type: 'outcome', call, code: 'done' });
    return value;
  } catch (error) {
    const allowed: readonly string[] = refusals[call];
    if (!(error instanceof KeyboundError) || !allowed.includes(error.code)) throw error;
    say({ type: 'outcome', call, code: error.code });
    return null;
  }
}

async function* oneShot(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 9000) {
    await setTimeout(rng.below(3));
    yield bytes.subarray(at, at + 9000);
  }
}

async function begin(): Promise<Namespace> {
  for (;;) {
    const created = await attempt('create', () => keybound.create('acme', { key: 'local://acme' }));
    const acme = created ?? (await attempt('open', () => keybound.open('acme')));
    if (acme !== null) return acme;
  }
}

const kept = new Map<string, string>();

async function act(acme: Namespace, i: number): Promise<void> {
  const action = rng.pick([
    'suspend',
    'resume',
    'resume',
    'rotate',
    'put',
    'put',
    'put',
    'get',
    'get',
    'record',
  ] as const);
  if (action === 'put') {
    const bytes = rng.bytes(rng.below(100_000));
    const of = `${name}/${String(i)}`;
    const stored = await attempt('put', () => acme.put(of, rng.below(2) === 0 ? bytes : oneShot(bytes)));
    if (stored === null) return;
    const digest = digestOf(bytes);
    kept.set(of, digest);
    say({ type: 'kept', name: of, version: stored.version, digest });
  } else if (action === 'get') {
    if (kept.size === 0) return;
    const [of, digest] = rng.pick([...kept]);
    const bytes = await attempt('get', async () => (await acme.get(of)).bytes());
    if (bytes !== null && digestOf(bytes) !== digest) throw new Error(`${of} came back as other bytes`);
  } else if (action === 'record') {
    await attempt('record', async () =>
      acme.decryptRecord('a', await acme.encryptRecord('a', Uint8Array.of(1))),
    );
  } else {
    await attempt(action, () => acme[action]());
  }
}

async function untilRefused(acme: Namespace): Promise<void> {
  try {
    for (;;) {
      await acme.encryptRecord('a', Uint8Array.of(1));
      await setTimeout(100);
    }
  } catch (error) {
    if (!(error instanceof KeyboundError) || error.code !== 'namespace-suspended') throw error;
    say({ type: 'refused', at: Date.now() });
  }
}

async function main(): Promise<void> {
  const orders: AsyncIterator<string, unknown> = createInterface({ input: process.stdin })[
    Symbol.asyncIterator
  ]();
  const acme = await begin();
  for (let i = 0; i < actions; i++) await act(acme, i);
  say({ type: 'ready' });
  // Until the test has resumed it: every lease then begins anew.
  await orders.next();
  keybound.purge();
  await acme.encryptRecord('a', Uint8Array.of(1));
  say({ type: 'ready' });
  const order = await orders.next();
  if (order.value === 'purge') keybound.purge();
  await untilRefused(acme);
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${name}: ${error instanceof Error ? String(error.stack) : String(error)}\n`);
  process.exit(1);
});
