import { type VerifiedBinding } from '../binding/chain.js';
import { formatTrust } from '../binding/trust.js';
import {
  type BindingStatus,
  currentPolicy,
  type Generation,
  type KeyUse,
} from '../format/binding-payload.js';
import { base64url, toHex } from '../internal/bytes.js';
import { checkOptions, signalOption } from '../internal/options.js';
import { resume, rotate, suspend } from '../lifecycle/change.js';
import { notFound } from '../lifecycle/status.js';
import { type ListPage } from '../storage/store.js';
import { type ByteStream } from '../streams/byte-stream.js';
import { type ByteSource } from '../streams/source.js';
import {
  about,
  type DecryptedObject,
  type DecryptOptions,
  type EncryptOptions,
  type GetOptions,
  type ObjectEntry,
  type ObjectInfo,
  placeOf,
  type PutOptions,
  type PutResult,
} from './object.js';
import { decryptStream, get, head } from './read.js';
import { decryptRecord, encryptRecord, type RecordOptions } from './records.js';
import { type Session } from './session.js';
import { encryptStream, put } from './write.js';
import { nameBytes } from '../format/identity.js';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface DeleteOptions extends CallOptions {
  /** Delete this very version only: `precondition-failed` otherwise. */
  readonly ifVersion?: string;
}

export interface ListOptions extends CallOptions {
  /** Only names that begin with this. */
  readonly prefix?: string;
}

export interface ListPageOptions extends ListOptions {
  /** Where an earlier page ended. */
  readonly cursor?: string;
  /** 1 to 1,000. @default 1000 */
  readonly limit?: number;
}

/** A namespace as its newest verified binding describes it. */
export interface NamespaceDescription {
  readonly id: string;
  readonly region: string;
  /** Hex of 16 bytes: which namespace of this id it is, should it have been deleted and made again. */
  readonly instance: string;
  readonly status: BindingStatus;
  readonly owner: string | null;
  readonly parent: string | null;
  readonly dataClass: string | null;
  readonly epoch: number;
  /** Give this to `open`, so that nothing older than this epoch is believed. */
  readonly trust: string;
  /** Key id of the root that signed this epoch: 32 hex digits. */
  readonly root: string;
  /** Alternatives in the order of preference; each needs all of its keys. */
  readonly policy: readonly (readonly KeyUse[])[];
  readonly ownerCannotRevoke: boolean;
  readonly generations: readonly Pick<Generation, 'number' | 'status'>[];
  readonly leaseMs: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export function describeBinding({
  payload,
  trust,
  root,
}: Pick<VerifiedBinding, 'payload' | 'trust' | 'root'>): NamespaceDescription {
  const policy = currentPolicy(payload);
  return {
    id: payload.namespace,
    region: payload.region,
    instance: toHex(base64url.decode(payload.instance)),
    status: payload.status,
    owner: payload.owner,
    parent: payload.parent,
    dataClass: payload.dataClass,
    epoch: payload.epoch,
    trust: formatTrust(trust),
    root,
    policy: policy.alternatives,
    ownerCannotRevoke: policy.ownerCannotRevoke,
    generations: payload.generations.map(({ number, status }) => ({ number, status })),
    leaseMs: payload.leaseMs,
    createdAt: new Date(payload.createdAt),
    updatedAt: new Date(payload.updatedAt),
  };
}

/**
 * One tenant's data, under its owner's key. From `Keybound.create` or `Keybound.open`; cheap, and safe to share.
 *
 * Every method may throw: `invalid-argument`; the `namespace-…` and `binding-…` codes; what the KMS said
 * (`key-revoked`, `access-denied`, `unavailable` …); what the store said (`store-…`); `aborted`. Those that read
 * ciphertext also: `integrity-failure`, `not-ciphertext`, `unsupported-form`. `docs/errors.md` tells what to do about each.
 */
export class Namespace {
  readonly id: string;
  readonly region: string;
  /** The binding it was created or opened with, as `open` takes it: nothing older than that is believed. */
  readonly trust: string;
  readonly #session: Session;

  /** @internal */
  constructor(session: Session, trust: string) {
    this.#session = session;
    this.trust = trust;
    this.id = session.subject.namespace;
    this.region = session.subject.region;
  }

  /**
   * Encrypts and stores an object, atomically: until this resolves nothing of it is visible. A source that can be read
   * again (bytes, `Blob`) is encrypted anew if the namespace is rotated meanwhile; others fail with the retryable
   * `namespace-changed`. Errors: `object-exists`, `precondition-failed`, `source-failed`, `too-large`.
   */
  put(name: string, source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    return put(this.#session, name, source, options);
  }

  /**
   * Opens an object for reading, whole or by range. Must be read or cancelled. Errors: `object-not-found`,
   * `object-changed`, `range-not-satisfiable`; more may come while reading.
   */
  get(name: string, options: GetOptions = {}): Promise<DecryptedObject> {
    return get(this.#session, name, options);
  }

  /** An object's metadata, authenticated, without its body. Errors: `object-not-found`. */
  head(name: string, options: DecryptOptions = {}): Promise<ObjectInfo> {
    return head(this.#session, name, options);
  }

  /** Names of objects, one after the other, in the store's order. Needs no key. */
  async *list(options: ListOptions = {}): AsyncGenerator<ObjectEntry> {
    checkOptions(options, 'list', ['prefix', 'signal']);
    let cursor: string | undefined;
    do {
      const page = await this.listPage(cursor === undefined ? options : { ...options, cursor });
      yield* page.entries;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** One page of {@link list}. */
  async listPage(options: ListPageOptions = {}): Promise<ListPage<ObjectEntry>> {
    checkOptions(options, 'listPage', ['prefix', 'cursor', 'limit', 'signal']);
    const binding = await this.#session.binding(options.signal);
    const { folder } = placeOf(this.#session, binding, '');
    const page = await this.#session.region.store.list(folder, options);
    return {
      ...page,
      entries: page.entries.map(({ name, version, size }) => ({
        name,
        version,
        unauthenticatedStoredSize: size,
      })),
    };
  }

  /** Deletes an object; false if there was none. Needs no key. Errors: `precondition-failed`. */
  async delete(name: string, options: DeleteOptions = {}): Promise<boolean> {
    checkOptions(options, 'delete', ['ifVersion', 'signal']);
    nameBytes(name);
    const place = placeOf(this.#session, await this.#session.binding(options.signal), name);
    try {
      return await this.#session.region.store.delete(place, {
        ...(options.ifVersion === undefined ? {} : { if: { version: options.ifVersion } }),
        ...signalOption(options.signal),
      });
    } catch (error) {
      throw about(this.#session, name, error);
    }
  }

  /**
   * Encrypts a small value (up to 64 MiB) and hands it back: 80 bytes longer, in an array of the caller's own. `name`
   * is part of its identity; the same name and context decrypt it.
   */
  encryptRecord(name: string, plaintext: Uint8Array, options: RecordOptions = {}): Promise<Uint8Array> {
    return encryptRecord(this.#session, name, plaintext, options);
  }

  /** Decrypts a record, in an array of the caller's own. */
  decryptRecord(name: string, record: Uint8Array, options: RecordOptions = {}): Promise<Uint8Array> {
    return decryptRecord(this.#session, name, record, options);
  }

  /** The ciphertext of an object as a stream, for those who keep their own storage. Store it whole or not at all. */
  encryptStream(name: string, source: ByteSource, options: EncryptOptions = {}): Promise<ByteStream> {
    return encryptStream(this.#session, name, source, options);
  }

  /** The plaintext of what {@link encryptStream} made, or of a stored object read elsewhere. */
  decryptStream(name: string, source: ByteSource, options: DecryptOptions = {}): Promise<DecryptedObject> {
    return decryptStream(this.#session, name, source, options);
  }

  /** The namespace as it is now: its binding is read and verified afresh. Asks no KMS. */
  async describe(options: CallOptions = {}): Promise<NamespaceDescription> {
    checkOptions(options, 'describe', ['signal']);
    const { installation, subject } = this.#session;
    const binding = await installation.chains.read(subject, this.#session.readOptions(options.signal));
    if (binding === null) throw notFound(subject);
    return describeBinding(binding);
  }

  /**
   * Stops all use of the namespace: here at once, everywhere else within a lease. Takes the root signing key alone, so
   * it works when the owner's KMS does not. Errors: `no-signing-key`, `namespace-changed`.
   */
  suspend(options: CallOptions = {}): Promise<NamespaceDescription> {
    return this.#change('suspend', suspend, options);
  }

  /** Takes a suspension back; the owner's KMS must unlock it. Errors: as {@link suspend}. */
  resume(options: CallOptions = {}): Promise<NamespaceDescription> {
    return this.#change('resume', resume, options);
  }

  /**
   * Opens a new generation: what is written from now on is under a new namespace key. What is stored stays as it is and
   * readable. Errors: as {@link suspend}.
   */
  rotate(options: CallOptions = {}): Promise<NamespaceDescription> {
    return this.#change('rotate', rotate, options);
  }

  async #change(verb: string, change: typeof suspend, options: CallOptions): Promise<NamespaceDescription> {
    checkOptions(options, verb, ['signal']);
    const { installation, subject, region } = this.#session;
    await installation.regions.prove(region);
    try {
      return describeBinding(await change(installation, subject, this.#session.readOptions(options.signal)));
    } finally {
      this.#session.purge();
    }
  }
}
