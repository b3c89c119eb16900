/*
 * From sealed bytes to an object that can be read: under the keys of its generation, and under a live lease as it goes.
 */
import { IntegrityFailure } from '../errors.js';
import { openObjectHeader } from '../format/object-header.js';
import { type ObjectHead, openRun } from '../streams/object-stream.js';
import { about, DecryptedObject, identityOf, type Named } from './object.js';
import { type Session } from './session.js';

/** A run that is the whole body, whose end is found by reaching it. */
export const wholeBody = { firstChunk: 0, skip: 0, take: Infinity, final: true } as const;

/** A whole object turned out to be as long as the store had said: callers may have told others. */
async function* ofSize(size: number, plaintext: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of plaintext) {
    length += piece.length;
    yield piece;
  }
  if (length !== size) throw new IntegrityFailure('size given by the store');
}

/** What an object is read from. */
export interface Sealed {
  readonly kind: 'object' | 'stream';
  readonly head: ObjectHead;
  /** The sealed bytes of `run`. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly run: Parameters<typeof openRun>[5];
  /** Gives back what the bytes come from. */
  readonly release: () => Promise<void>;
  /** Length of the whole plaintext and version, by the store's word. */
  readonly size?: number;
  readonly version?: string;
}

/** Opens an object with the keys of its generation; its data key does not outlive this call but in the opener. */
export function openObject(
  session: Session,
  object: Named,
  sealed: Sealed,
  signal: AbortSignal | undefined,
): Promise<DecryptedObject> {
  const { engine } = session.installation;
  const { header, bodyHeader } = sealed.head;
  return session.withKeys(
    header.generation,
    (keys, binding) => {
      const identity = identityOf(session, binding, object);
      const { dataKey, metadata } = openObjectHeader(engine, keys.wrap, identity, header);
      const context = identity.context('object');
      const opened = openRun(engine, dataKey, context, bodyHeader, sealed.bytes, sealed.run);
      const whole = sealed.run === wholeBody && sealed.size !== undefined;
      const plaintext = whole ? ofSize(sealed.size, opened) : opened;
      const { name } = object;
      return new DecryptedObject(
        underLease(session, sealed.kind, name, header.generation, plaintext, signal),
        sealed.release,
        { ...sealed, name, metadata },
      );
    },
    signal,
  );
}

/**
 * Hands plaintext out under a live lease only: a stream that is open when the owner's key is disabled, or the namespace
 * suspended, ends with that error once the lease does. Reports integrity failures that only show while reading.
 */
async function* underLease(
  session: Session,
  kind: 'object' | 'stream',
  name: string,
  generation: number,
  plaintext: AsyncGenerator<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of plaintext) {
      await session.withKeys(generation, () => undefined, signal);
      yield piece;
    }
  } catch (error) {
    throw about(session, name, session.refuse(kind, name, error));
  }
}
