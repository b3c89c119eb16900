/*
 * put, get, verify: the bytes of objects on their way.
 */
import { resolve } from 'node:path';
import {
  type DecryptedObject,
  type GetOptions,
  KeyboundError,
  type PutOptions,
  type PutResult,
} from 'keybound';
import { contextOf, pairsOf, rangeOf } from '../arguments.js';
import { filesBelow, look, makeFolderOf, pathBelow, readFile, writeFile } from '../files.js';
import { write } from '../io.js';
import { below, each, forEach } from '../many.js';
import { bytesText, plain } from '../output.js';
import { Progress } from '../progress.js';
import { type Shell } from '../shell.js';
import { type ContextOptions, type NamespaceOptions, openOptions } from './options.js';

function progressOf({ io, globals }: Shell): Progress {
  const shown = io.stderr.isTTY === true && globals.json !== true && globals.quiet !== true;
  return new Progress(shown ? io.stderr : null);
}

export interface PutArguments extends NamespaceOptions, ContextOptions {
  readonly recursive?: boolean;
  readonly contentType?: string;
  readonly fileName?: string;
  readonly pair?: readonly string[];
  readonly ifAbsent?: boolean;
  readonly ifVersion?: string;
}

function putOptions(given: PutArguments, signal: AbortSignal): PutOptions {
  const pairs = pairsOf(given.pair, '--pair');
  return {
    ...contextOf(given.context),
    ...(given.contentType === undefined ? {} : { contentType: given.contentType }),
    ...(given.fileName === undefined ? {} : { fileName: given.fileName }),
    ...(pairs === undefined ? {} : { pairs }),
    ...(given.ifAbsent === true ? { ifAbsent: true } : {}),
    ...(given.ifVersion === undefined ? {} : { ifVersion: given.ifVersion }),
    signal,
  };
}

/** A file, a folder or the standard input into a namespace. */
export async function put(
  shell: Shell,
  id: string,
  name: string,
  file: string | undefined,
  given: PutArguments,
): Promise<void> {
  const { io, printer } = shell;
  const options = putOptions(given, io.signal);
  const path = file === undefined || file === '-' ? undefined : resolve(io.cwd, file);
  const status = path === undefined ? undefined : await look(path);
  const recursive = given.recursive === true;
  if (recursive !== (status?.isDirectory() ?? false)) {
    throw new KeyboundError(
      'invalid-argument',
      recursive
        ? 'expected a folder with --recursive, got something else'
        : `expected a file, got the folder ${file ?? ''}: use --recursive`,
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const store = async (
    name: string,
    source: AsyncIterable<Uint8Array>,
    total: number | undefined,
  ): Promise<void> => {
    progress.begin(name, total);
    let result: PutResult;
    try {
      result = await namespace.put(name, progress.count(source), options);
    } finally {
      progress.end();
    }
    await printer.result(
      { namespace: id, ...result },
      `${plain(name)}  ${bytesText(result.size)}  version ${result.version}\n`,
    );
  };
  if (path === undefined) return store(name, io.stdin as AsyncIterable<Uint8Array>, undefined);
  if (!recursive) {
    const total = status?.isFile() === true ? status.size : undefined;
    return store(name, readFile(path), total);
  }
  const prefix = name === '' || name.endsWith('/') ? name : `${name}/`;
  await forEach(shell, filesBelow(path), async (below) => {
    const from = resolve(path, below);
    await store(prefix + below, readFile(from), (await look(from)).size);
  });
}

export interface GetArguments extends NamespaceOptions, ContextOptions {
  readonly output?: string;
  readonly range?: string;
  readonly ofVersion?: string;
  readonly recursive?: boolean;
}

/** An object, or many, to a file, a folder or the standard output. */
export async function get(shell: Shell, id: string, name: string, given: GetArguments): Promise<void> {
  const { io, printer } = shell;
  const options: GetOptions = {
    ...contextOf(given.context),
    ...(given.range === undefined ? {} : { range: rangeOf(given.range) }),
    ...(given.ofVersion === undefined ? {} : { version: given.ofVersion }),
    signal: io.signal,
  };
  const output =
    given.output === undefined || given.output === '-' ? undefined : resolve(io.cwd, given.output);
  if (
    given.recursive === true &&
    (output === undefined || given.range !== undefined || given.ofVersion !== undefined)
  ) {
    throw new KeyboundError(
      'invalid-argument',
      'expected --output <folder> with --recursive, and neither --range nor --of-version',
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const fetch = async (
    name: string,
    to: (bytes: AsyncIterable<Uint8Array>, object: DecryptedObject) => Promise<void>,
  ): Promise<void> => {
    const object = await namespace.get(name, options);
    progress.begin(name, given.range === undefined ? object.size : undefined);
    try {
      await to(progress.count(object), object);
    } finally {
      progress.end();
      await object.cancel();
    }
  };
  if (output === undefined) {
    return fetch(name, async (bytes) => {
      for await (const piece of bytes) await write(io.stdout, piece);
    });
  }
  const save = (name: string, path: string): Promise<void> =>
    fetch(name, async (bytes, { size, version }) => {
      await writeFile(path, bytes);
      await printer.result(
        { namespace: id, name, size, version, file: path },
        `${plain(name)}  ${size === undefined ? '' : bytesText(size)}  ${plain(path)}\n`,
      );
    });
  if (given.recursive !== true) return save(name, output);
  await forEach(shell, below(namespace, [name], io.signal), async (found) => {
    const path = pathBelow(output, found);
    await makeFolderOf(path);
    await save(found, path);
  });
}

export interface VerifyArguments extends NamespaceOptions, ContextOptions {
  readonly recursive?: boolean;
}

/** Reads objects to their end and keeps nothing of them. */
export async function verify(
  shell: Shell,
  id: string,
  names: readonly string[],
  given: VerifyArguments,
): Promise<void> {
  const { io, printer } = shell;
  const options = { ...contextOf(given.context), signal: io.signal };
  const recursive = given.recursive === true;
  if (!recursive && names.length === 0) {
    throw new KeyboundError(
      'invalid-argument',
      'expected the name of an object, or --recursive for all of them',
    );
  }
  const namespace = await (await shell.setup()).namespace(id, openOptions(given));
  const progress = progressOf(shell);
  const prefixes = names.length === 0 ? [''] : names;
  await forEach(shell, recursive ? below(namespace, prefixes, io.signal) : each(names), async (name) => {
    const object = await namespace.get(name, options);
    progress.begin(name, object.size);
    let size = 0;
    try {
      for await (const piece of progress.count(object)) size += piece.length;
    } finally {
      progress.end();
    }
    await printer.result(
      { namespace: id, name, size, version: object.version, authentic: true },
      `${plain(name)}  ${bytesText(size)}  authentic\n`,
    );
  });
}
