/*
 * inspect: what stored bytes say of themselves, without any key.
 */
import { type Command } from 'commander';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { inspect, type Inspection, KeyboundError, type ObjectKey } from 'keybound';
import { fileStore } from 'keybound/file';
import { look } from '../files.js';
import { type Io } from '../io.js';
import { type Run, type Shell } from '../shell.js';
import { plain, table } from '../output.js';
import { quote } from '../quote.js';
import { folderOf } from '../setup.js';
import { describeText } from './namespaces.js';

/** What `inspect` of the library wants to see at most. */
const headLength = 512 * 1024;
/** A file of a file store begins with the object's version (SPEC.md §11). */
const versionLength = 16;
const magic = 'KBD';

interface Head {
  readonly bytes: Uint8Array;
  readonly storedSize: number;
}

async function headOfFile(path: string): Promise<Head> {
  const status = await look(path);
  if (!status.isFile()) {
    throw new KeyboundError('invalid-argument', `expected a file, got something else at ${path}`);
  }
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(headLength + versionLength), 0);
    const bytes = buffer.subarray(0, bytesRead);
    // As a store keeps it, if that makes sense of it and nothing else does.
    const begins = (at: number): boolean =>
      ['{', magic].some((start) => bytes.subarray(at).toString('latin1', 0, start.length) === start);
    const skipped = !begins(0) && begins(versionLength) ? versionLength : 0;
    return { bytes: bytes.subarray(skipped, skipped + headLength), storedSize: status.size - skipped };
  } finally {
    await file.close();
  }
}

async function headOf(bytes: AsyncIterable<Uint8Array>, size?: number): Promise<Head> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    // What is not kept is counted, unless its length is known.
    if (length < headLength) parts.push(part);
    length += part.length;
    if (size !== undefined && length >= headLength) break;
  }
  return { bytes: Buffer.concat(parts).subarray(0, headLength), storedSize: size ?? length };
}

interface InspectArguments {
  readonly binding?: boolean;
  readonly epoch?: string;
}

/** The stored bytes of an object or a binding, where SPEC.md §11 puts them. */
async function headOfStored(
  shell: Shell,
  id: string,
  name: string | undefined,
  given: InspectArguments,
): Promise<Head> {
  const setup = await shell.setup();
  const { registry } = setup.config;
  const namespace = await (await setup.namespace(id)).describe();
  const store = fileStore(folderOf(setup.config.regions[namespace.region]?.store ?? '', setup.base));
  const folder = `keybound/${registry}/namespaces/${id}`;
  const place: ObjectKey =
    name === undefined
      ? { folder: `${folder}/bindings`, name: given.epoch ?? String(namespace.epoch) }
      : { folder: `${folder}/objects/${namespace.instance}`, name };
  const found = await store.get(place);
  if (found !== null) return headOf(found.bytes, found.size);
  throw new KeyboundError(
    'object-not-found',
    name === undefined
      ? `namespace ${id}: its binding has no epoch ${place.name}`
      : `namespace ${id}: there is no object ${quote(name)} in region ${namespace.region}`,
  );
}

async function headOfSource(io: Io, file: string): Promise<Head> {
  return file === '-' ? headOf(io.stdin as AsyncIterable<Uint8Array>) : headOfFile(resolve(io.cwd, file));
}

function text(found: Inspection): string {
  if (found.kind === 'binding') {
    const moves = [
      ...(found.movedTo === null ? [] : [['moved to', found.movedTo]]),
      ...(found.movedFrom === null ? [] : [['moved from', found.movedFrom]]),
    ];
    const claims = table([
      ['kind', 'binding, not verified'],
      ['registry', found.registry],
      ['signed by', found.signedBy.join(', ')],
      ...moves,
    ]);
    return claims + describeText(found.namespace);
  }
  if (found.kind === 'wraps') {
    const rows = found.alternatives.map((keys, i) => [
      `alternative ${String(i + 1)}`,
      keys.map(({ uri, blobLength }) => `${plain(uri)} (${String(blobLength)} bytes)`).join(' and '),
    ]);
    return table([['kind', 'wrapped key, not verified'], ...rows]);
  }
  const { kind, ...facts } = found;
  const rows = Object.entries(facts).map(([name, value]) => [
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    Array.isArray(value) ? JSON.stringify(value) : String(value),
  ]);
  return table([['kind', `${kind}, not authenticated`], ...rows]);
}

export function addInspect(program: Command, run: Run): void {
  program
    .command('inspect')
    .argument('[namespace]')
    .argument('[name]', 'an object of the namespace; without it, its binding')
    .description('what stored bytes say of themselves; no key is used, nothing is verified')
    .option(
      '--file <file>',
      'a file, or - for the standard input: ciphertext, a binding, a file of a file store',
    )
    .option('--epoch <number>', 'an earlier epoch of the binding')
    .action((id: string | undefined, name: string | undefined, given: InspectArguments & { file?: string }) =>
      run(async (shell) => {
        if (given.epoch !== undefined && (id === undefined || name !== undefined)) {
          throw new KeyboundError('invalid-argument', 'expected --epoch with a namespace alone');
        }
        if ((id === undefined) === (given.file === undefined)) {
          throw new KeyboundError('invalid-argument', 'expected a namespace, or --file, got both or neither');
        }
        const { bytes, storedSize } =
          id === undefined
            ? await headOfSource(shell.io, given.file ?? '-')
            : await headOfStored(shell, id, name, given);
        const found = inspect(bytes, { storedSize });
        await shell.printer.result(found, text(found));
      }),
    );
}
