/*
 * The port behind which every backend stands. `keybound/testing` holds its conformance suite.
 */

/**
 * Where an object lies. `folder` is one or more segments `[A-Za-z0-9._-]{1,128}` joined by `/`, none of them `.` or
 * `..`, at most 400 bytes, chosen by keybound. `name` is the caller's, and hostile: 1 to 512 bytes of well-formed
 * UTF-8 with any characters in it. Two keys are the same only if both parts are, byte for byte.
 */
export interface ObjectKey {
  readonly folder: string;
  readonly name: string;
}

/**
 * The bytes of one stored object, or of a part of it: iterate once, or cancel. Pieces are the reader's own from the
 * moment they are handed out. Iterating to the end or leaving a loop early releases everything, as `cancel` does.
 */
export interface StoredBytes extends AsyncIterable<Uint8Array> {
  /** Releases what the read holds (idempotent). Must be called if the bytes are not iterated. */
  cancel(): Promise<void>;
}

/** What is known of an object without reading it. */
export interface StoredInfo {
  /** Length of the whole object in bytes, whatever range was asked for. */
  readonly size: number;
  /**
   * Opaque; names these very bytes. Differs from the version of anything else ever stored under this key, also
   * after deletion and re-creation with the same bytes.
   */
  readonly version: string;
}

export interface StoredObject extends StoredInfo {
  readonly bytes: StoredBytes;
}

export interface GetOptions {
  /** Bytes `start` up to but not including `end`; `0 <= start < end`. Clipped at the end of the object; a `start` at or past it gives no bytes. */
  readonly range?: { readonly start: number; readonly end: number };
  /** Only these very bytes: anything else is `object-changed`. */
  readonly version?: string;
  readonly signal?: AbortSignal;
}

export interface PutOptions {
  /** `absent`: create, never replace. `{ version }`: replace these very bytes only. Neither: create or replace. */
  readonly if?: 'absent' | { readonly version: string };
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  /** Delete these very bytes only. */
  readonly if?: { readonly version: string };
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  /** Only names that begin with this (by UTF-8 bytes). */
  readonly prefix?: string;
  /** Where an earlier page ended. */
  readonly cursor?: string;
  /** At most so many entries, 1 to 1,000. @default 1000 */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface ListPage<Entry> {
  readonly entries: readonly Entry[];
  /** Pass to get the next page; absent on the last one. A page may be short or empty and yet not the last. */
  readonly cursor?: string;
}

export interface StoredEntry extends StoredInfo {
  readonly name: string;
}

/** What a store says of itself, found out by asking it rather than its configuration. */
export interface StoreDescription {
  /** Its proven location: `file`, `memory`, `aws:eu-west-1`, `gcp:europe-west1`. */
  readonly location: string;
  /** Whether `if: 'absent'` holds against concurrent writers: without it, no bindings. */
  readonly conditionalCreate: boolean;
  /** Whether `if: { version }` holds against concurrent writers. */
  readonly conditionalReplace: boolean;
}

/**
 * A region's store. Every method may be called concurrently, and by several processes on one store.
 *
 * Errors are `KeyboundError`s: `store-unavailable` (retryable), `store-denied`, `store-full`, `store-failed`,
 * `aborted`, and those named below. What a caller's byte source throws passes through unchanged.
 */
export interface ObjectStore {
  /** The declared location, in the form of {@link StoreDescription.location}. No I/O. */
  readonly location: string;

  /** Proves the location and says which guarantees hold. May do I/O. */
  describe(options?: { readonly signal?: AbortSignal }): Promise<StoreDescription>;

  /** The object, or null if there is none. Errors: `object-changed`. */
  get(key: ObjectKey, options?: GetOptions): Promise<StoredObject | null>;

  /** Size and version, or null if there is no such object. */
  head(key: ObjectKey, options?: { readonly signal?: AbortSignal }): Promise<StoredInfo | null>;

  /**
   * Stores everything `source` yields, atomically and durably: until the returned promise resolves nothing of it is
   * visible, afterwards all of it is, also after a crash. If `source` throws, or the signal aborts, nothing is
   * stored. The source is pulled with backpressure, its pieces are not changed, and its `return` is called if it is not
   * read to the end. Nothing is committed before the source has ended, so that a source may refuse at the last moment.
   * Errors: `object-exists` (with `if: 'absent'`), `precondition-failed` (with `if: { version }`).
   */
  put(key: ObjectKey, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredInfo>;

  /** Deletes the object; false if there was none. Errors: `precondition-failed`. */
  delete(key: ObjectKey, options?: DeleteOptions): Promise<boolean>;

  /** One page of the objects of a folder, in a stable order; none if there is no such folder. */
  list(folder: string, options?: ListOptions): Promise<ListPage<StoredEntry>>;

  /** One page of the folders directly in a folder that hold an object at any depth, by their last segment. */
  folders(folder: string, options?: ListOptions): Promise<ListPage<string>>;
}
