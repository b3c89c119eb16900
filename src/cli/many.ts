/*
 * Commands that do one thing to many objects.
 */
import { KeyboundError, type Namespace } from 'keybound';
import { type Shell } from './shell.js';

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

/** Does something with each of many, and complains of each that fails. */
export async function forEach(
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

/** The names that were given. */
// eslint-disable-next-line @typescript-eslint/require-await -- names come from either kind of list
export async function* each(names: readonly string[]): AsyncGenerator<string> {
  yield* names;
}

/** The names in the namespace that begin with any of these. */
export async function* below(
  namespace: Namespace,
  prefixes: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const prefix of prefixes) {
    for await (const { name } of namespace.list({ prefix, signal })) yield name;
  }
}
