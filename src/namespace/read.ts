/*
 * Reading objects: nothing leaves before its chunk has authenticated.
 */
import { IntegrityFailure, KeyboundError } from '../errors.js';
import { bodyHeaderLength, plaintextSize } from '../format/chunked-body.js';
import { maxObjectHeaderLength, openObjectHeader } from '../format/object-header.js';
import { checkOptions, signalOption } from '../internal/options.js';
import { wipe } from '../internal/bytes.js';
import { quote } from '../internal/quote.js';
import { shape } from '../internal/shape.js';
import { readAtMost } from '../storage/bytes.js';
import { type StoredObject } from '../storage/store.js';
import { type ByteRange, chunkRun, type ObjectHead, parseHead, readHead } from '../streams/object-stream.js';
import { type ByteSource, readSource } from '../streams/source.js';
import {
  about,
  type DecryptedObject,
  type DecryptOptions,
  type GetOptions,
  identityOf,
  type Named,
  named,
  notFound,
  type ObjectInfo,
  placeOf,
} from './object.js';
import { openObject, type Sealed, wholeBody } from './open-object.js';
import { type Session } from './session.js';

async function* rejoin(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  release: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let ended = false;
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) break;
      yield next.value;
    }
    ended = true;
  } finally {
    if (!ended) await release();
  }
}

export async function get(session: Session, name: string, options: GetOptions): Promise<DecryptedObject> {
  checkOptions(options, 'get', ['context', 'range', 'version', 'signal']);
  const object = named(name, options.context);
  const range = checkRange(options.range);
  try {
    return range === undefined
      ? await getWhole(session, object, options)
      : await getRange(session, object, options, range);
  } catch (error) {
    throw about(session, name, session.refuse('object', name, error));
  }
}

async function fetchObject(
  session: Session,
  name: string,
  options: { version?: string; range?: { start: number; end: number }; signal?: AbortSignal },
): Promise<StoredObject> {
  const found = await session.region.store.get(
    placeOf(session, await session.usableBinding(options.signal), name),
    options,
  );
  if (found === null) throw notFound(session, name);
  const { size }: { size: unknown } = found;
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return found;
  await found.bytes.cancel();
  throw new KeyboundError(
    'store-failed',
    `namespace ${session.subject.namespace}: the store does not say how long object ${quote(name)} is`,
    { details: { ...session.subject, name } },
  );
}

const fetchOptions = (options: GetOptions): { version?: string; signal?: AbortSignal } => ({
  ...(options.version === undefined ? {} : { version: options.version }),
  ...signalOption(options.signal),
});

async function getWhole(session: Session, object: Named, options: GetOptions): Promise<DecryptedObject> {
  const { bytes, size: storedSize, version } = await fetchObject(session, object.name, fetchOptions(options));
  const release = (): Promise<void> => bytes.cancel();
  try {
    const pieces = bytes[Symbol.asyncIterator]();
    const head = await readHead(pieces);
    const { size } = chunkRun(storedSize - head.header.length, { start: 0 });
    const body = rejoin(head.rest, pieces, release);
    const sealed: Sealed = { kind: 'object', head, bytes: body, run: wholeBody, release, size, version };
    return await openObject(session, object, sealed, options.signal);
  } catch (error) {
    await release();
    throw error;
  }
}

/** The first bytes of an object, enough for any head. */
const headLength = maxObjectHeaderLength + bodyHeaderLength;

async function fetchHead(
  session: Session,
  name: string,
  options: GetOptions,
): Promise<{ found: StoredObject; head: ObjectHead }> {
  const found = await fetchObject(session, name, {
    ...fetchOptions(options),
    range: { start: 0, end: headLength },
  });
  const bytes = await readAtMost(found.bytes, headLength);
  const head = bytes === null ? null : parseHead(bytes);
  if (head === null) throw new IntegrityFailure('cut within the header');
  return { found, head };
}

async function getRange(
  session: Session,
  object: Named,
  options: GetOptions,
  range: ByteRange,
): Promise<DecryptedObject> {
  const { found, head } = await fetchHead(session, object.name, options);
  const bodyStart = head.header.length + bodyHeaderLength;
  const { run, size } = chunkRun(found.size - head.header.length, range);
  const part = await fetchObject(session, object.name, {
    version: found.version,
    range: { start: bodyStart + run.start, end: bodyStart + run.end },
    ...signalOption(options.signal),
  });
  const release = (): Promise<void> => part.bytes.cancel();
  try {
    const sealed: Sealed = {
      kind: 'object',
      head,
      bytes: part.bytes,
      run,
      release,
      size,
      version: found.version,
    };
    const opened = await openObject(session, object, sealed, options.signal);
    if (!('start' in range) || range.start <= size) return opened;
    // Only the final chunk proves that the object does end before the range.
    await opened.bytes();
    throw new KeyboundError(
      'range-not-satisfiable',
      `namespace ${session.subject.namespace}: object ${quote(object.name)} has ${String(size)} bytes, so no range can start at ${String(range.start)}`,
      { details: { ...session.subject, name: object.name, size } },
    );
  } catch (error) {
    await release();
    throw error;
  }
}

const offset = shape.integer(0, Number.MAX_SAFE_INTEGER);
const rangeShape = shape.object({ start: offset, end: shape.optional(offset) });
const suffixShape = shape.object({ suffix: offset });

function checkRange(range: unknown): ByteRange | undefined {
  if (range === undefined) return undefined;
  const fail = (message: string): never => {
    throw new KeyboundError('invalid-argument', message);
  };
  if (typeof range === 'object' && range !== null && 'suffix' in range)
    return suffixShape(range, 'range', fail);
  const checked = rangeShape(range, 'range', fail);
  if (checked.end !== undefined && checked.end < checked.start) {
    fail(
      `expected range.end to be at least range.start, got ${String(checked.start)} to ${String(checked.end)}`,
    );
  }
  return checked;
}

export async function head(session: Session, name: string, options: DecryptOptions): Promise<ObjectInfo> {
  checkOptions(options, 'head', ['context', 'signal']);
  const object = named(name, options.context);
  try {
    const { found, head: parsed } = await fetchHead(session, name, options);
    const size = plaintextSize(found.size - parsed.header.length);
    if (size === null) throw new IntegrityFailure('length of the body');
    const { engine } = session.installation;
    const metadata = await session.withKeys(
      parsed.header.generation,
      (keys, binding) => {
        const opened = openObjectHeader(
          engine,
          keys.wrap,
          identityOf(session, binding, object),
          parsed.header,
        );
        wipe(opened.dataKey);
        return opened.metadata;
      },
      options.signal,
    );
    return { name, version: found.version, unauthenticatedSize: size, ...metadata };
  } catch (error) {
    throw about(session, name, session.refuse('object', name, error));
  }
}

export async function decryptStream(
  session: Session,
  name: string,
  source: ByteSource,
  options: DecryptOptions,
): Promise<DecryptedObject> {
  checkOptions(options, 'decryptStream', ['context', 'signal']);
  const object = named(name, options.context);
  const pieces = readSource(source, options.signal);
  const release = async (): Promise<void> => {
    await pieces.return(undefined);
  };
  try {
    const head = await readHead(pieces);
    const bytes = rejoin(head.rest, pieces, release);
    const sealed: Sealed = { kind: 'stream', head, bytes, run: wholeBody, release };
    return await openObject(session, object, sealed, options.signal);
  } catch (error) {
    await release();
    throw session.refuse('stream', name, error);
  }
}
