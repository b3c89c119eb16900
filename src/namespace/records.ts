import {
  type Context,
  contextBytes,
  encodeIdentity,
  identityClass,
  IdentityDigest,
  nameBytes,
} from '../format/identity.js';
import { openRecord, recordGeneration, sealRecord } from '../format/record.js';
import { KeyboundError } from '../errors.js';
import { isBytes } from '../internal/bytes.js';
import { type VerifiedBinding } from '../binding/chain.js';
import { checkOptions } from '../internal/options.js';
import { kindOf } from '../internal/quote.js';
import { type Session } from './session.js';

export interface RecordOptions {
  /** Authenticated with the record and stored nowhere: the same must be given to decrypt. */
  readonly context?: Context;
  readonly signal?: AbortSignal;
}

/** What `encryptRecord` takes at most: a record is held in memory whole. */
export const maxRecordSize = 64 * 1024 * 1024;

const known = ['context', 'signal'];

function identityOf(
  session: Session,
  binding: VerifiedBinding,
  name: Uint8Array,
  context: Uint8Array,
): IdentityDigest {
  return new IdentityDigest(
    session.installation.engine,
    encodeIdentity(identityClass.record, binding.identity, name, context),
  );
}

function checkBytes(what: string, bytes: unknown): Uint8Array {
  if (isBytes(bytes)) return bytes;
  throw new KeyboundError('invalid-argument', `expected ${what} to be a Uint8Array, got ${kindOf(bytes)}`);
}

export async function encryptRecord(
  session: Session,
  name: string,
  plaintext: Uint8Array,
  options: RecordOptions,
): Promise<Uint8Array> {
  checkOptions(options, 'encryptRecord', known);
  const encodedName = nameBytes(name);
  const context = contextBytes(options.context);
  if (checkBytes('a record', plaintext).length > maxRecordSize) {
    throw new KeyboundError(
      'too-large',
      `namespace ${session.subject.namespace}: expected a record of at most ${String(maxRecordSize)} bytes, got ${String(plaintext.length)}: store it as an object`,
      { details: { ...session.subject, name } },
    );
  }
  return session.withKeys(
    'active',
    (keys, binding) =>
      sealRecord(
        session.installation.engine,
        keys.record,
        keys.number,
        identityOf(session, binding, encodedName, context),
        plaintext,
      ),
    options.signal,
  );
}

export async function decryptRecord(
  session: Session,
  name: string,
  record: Uint8Array,
  options: RecordOptions,
): Promise<Uint8Array> {
  checkOptions(options, 'decryptRecord', known);
  const encodedName = nameBytes(name);
  const context = contextBytes(options.context);
  checkBytes('a record', record);
  try {
    return await session.withKeys(
      recordGeneration(record),
      (keys, binding) =>
        openRecord(
          session.installation.engine,
          keys.record,
          identityOf(session, binding, encodedName, context),
          record,
        ),
      options.signal,
    );
  } catch (error) {
    throw session.refuse('record', name, error);
  }
}
