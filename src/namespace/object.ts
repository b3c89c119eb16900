/*
 * What the operations on objects share: their options, their identity, their place, their errors.
 */
import { type VerifiedBinding } from '../binding/chain.js';
import { KeyboundError } from '../errors.js';
import {
  type Context,
  contextBytes,
  encodeIdentity,
  identityClass,
  IdentityDigest,
  nameBytes,
} from '../format/identity.js';
import { type Metadata } from '../format/metadata.js';
import { toHex } from '../internal/bytes.js';
import { quote } from '../internal/quote.js';
import { objectsFolder } from '../storage/layout.js';
import { type ObjectKey } from '../storage/store.js';
import { ByteStream } from '../streams/byte-stream.js';
import { type ByteRange } from '../streams/object-stream.js';
import { type Session } from './session.js';

export interface EncryptOptions extends Metadata {
  /** Authenticated with the object and stored nowhere: the same must be given to decrypt. */
  readonly context?: Context;
  readonly signal?: AbortSignal;
}

export interface PutOptions extends EncryptOptions {
  /** Create only: `object-exists` if there is an object of this name. */
  readonly ifAbsent?: boolean;
  /** Replace this very version only: `precondition-failed` otherwise. */
  readonly ifVersion?: string;
}

export interface DecryptOptions {
  /** As given when it was encrypted. */
  readonly context?: Context;
  readonly signal?: AbortSignal;
}

export interface GetOptions extends DecryptOptions {
  /** A part of the plaintext; only the chunks that hold it are read. `end` is exclusive. */
  readonly range?: ByteRange;
  /** This very version only: `object-changed` otherwise. */
  readonly version?: string;
}

/** An object that was stored. */
export interface PutResult {
  readonly name: string;
  /** Length of the plaintext in bytes. */
  readonly size: number;
  /** Opaque; names these very bytes in this store. */
  readonly version: string;
  /** Length of what is stored. */
  readonly storedSize: number;
}

/** What is known of an object from its header. */
export interface ObjectInfo extends Metadata {
  readonly name: string;
  readonly version: string;
  /** Length of the plaintext by the store's word; only reading the object's end proves it. */
  readonly unauthenticatedSize: number;
}

export interface ObjectEntry {
  readonly name: string;
  readonly version: string;
  /** Length of the ciphertext by the store's word. */
  readonly unauthenticatedStoredSize: number;
}

/** An object being read: a {@link ByteStream} of its plaintext, with its authenticated metadata. */
export class DecryptedObject extends ByteStream {
  readonly name: string;
  readonly metadata: Metadata;
  /**
   * Length of the whole plaintext by the store's word: a stream that reaches the end fails unless it is true.
   * Undefined where the length of the ciphertext is not known beforehand.
   */
  readonly size: number | undefined;
  /** Names these very bytes in the store; undefined for streams from elsewhere. */
  readonly version: string | undefined;

  /** @internal */
  constructor(
    source: AsyncGenerator<Uint8Array>,
    release: () => Promise<void>,
    known: { name: string; metadata: Metadata; size?: number; version?: string },
  ) {
    super(source, release);
    this.name = known.name;
    this.metadata = known.metadata;
    this.size = known.size;
    this.version = known.version;
  }
}

/** Name and context, checked and encoded: what the caller supplies of an identity. */
export interface Named {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly context: Uint8Array;
}

export const named = (name: string, context: Context | undefined): Named => ({
  name,
  nameBytes: nameBytes(name),
  context: contextBytes(context),
});

export function identityOf(session: Session, binding: VerifiedBinding, object: Named): IdentityDigest {
  return new IdentityDigest(
    session.installation.engine,
    encodeIdentity(identityClass.object, binding.identity, object.nameBytes, object.context),
  );
}

/** Where an object lies: below the instance that the binding names. */
export function placeOf(session: Session, { identity }: VerifiedBinding, name: string): ObjectKey {
  const { registry } = session.installation;
  return { folder: objectsFolder(registry, identity.namespace, toHex(identity.instance)), name };
}

/** Says which object an error of a store or a source is about. */
export function about(session: Session, name: string, error: unknown): unknown {
  const told: readonly string[] = ['object-exists', 'precondition-failed', 'object-changed'];
  if (!(error instanceof KeyboundError)) return error;
  if (!told.includes(error.code)) return session.attribute('object', name, error);
  const what: Record<string, string> = {
    'object-exists': 'exists already: choose another name, or leave out ifAbsent',
    'precondition-failed': 'is not at the version named: read it again and decide anew',
    'object-changed': 'was replaced or deleted meanwhile, or is not at the version named: read it again',
  };
  return new KeyboundError(
    error.code,
    `namespace ${session.subject.namespace}: object ${quote(name)} ${what[error.code] ?? ''}`,
    { details: { ...session.subject, name }, cause: error },
  );
}

export const notFound = (session: Session, name: string): KeyboundError =>
  new KeyboundError(
    'object-not-found',
    `namespace ${session.subject.namespace}: there is no object ${quote(name)} in region ${session.subject.region}`,
    { details: { ...session.subject, name } },
  );
