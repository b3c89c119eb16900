/*
 * A store in a folder of a local disk, or of one that several processes share. What is on disk: names.ts, object-file.ts.
 * Creating is an exclusive hard link; replacing and deleting happen under a fenced lock.  docs/decisions/0004-file-store.md
 */
import { join, resolve } from 'node:path';
import { KeyboundError } from '../../../errors.js';
import { withFencedLock } from '../../../internal/fenced-lock.js';
import { checkSignal } from '../../../internal/signal.js';
import { checkFolder, checkObjectKey } from '../../object-key.js';
import {
  checkDeleteOptions,
  checkGetOptions,
  checkListOptions,
  checkLocationOption,
  checkPutOptions,
  checkSignalOption,
} from '../../options.js';
import { pageOf } from '../../paging.js';
import { checkCondition, checkPinned, objectExists, quoteKey, quoteName } from '../../preconditions.js';
import { SourceReader } from '../../source-reader.js';
import {
  type DeleteOptions,
  type GetOptions,
  type ListOptions,
  type ListPage,
  type ObjectKey,
  type ObjectStore,
  type PutOptions,
  type StoreDescription,
  type StoredEntry,
  type StoredInfo,
  type StoredObject,
} from '../../store.js';
import { exists, linkNew, statusOf, syncFolder } from './disk.js';
import { Damaged, keepsFromWriting, storeError } from './errors.js';
import { folderNames, holdsObject, lookAt, objectNames } from './listing.js';
import { entryOf } from './names.js';
import { infoAt, listedAt, openObject, pieceSize, readObject, writeObject } from './object-file.js';
import { probe } from './probe.js';
import { keepName, lendFile } from './scratch.js';
import { Tree, type ObjectPlace } from './tree.js';

export interface FileStoreOptions {
  /** What the store calls its location, if the folder lies in a known place. @default 'file' */
  readonly location?: string;
}

/**
 * An {@link ObjectStore} in `folder`, which is made on first use (mode 0700, files 0600) and should hold nothing else.
 * For POSIX file systems with hard links, Linux and macOS; several processes, also on several machines, may share one.
 * A folder stays when its last object is deleted. An object whose file is damaged is listed, with the version `damaged`,
 * and can be deleted. Where nothing can be written, everything can be read. Throws `invalid-argument`.
 */
export function fileStore(folder: string, options: FileStoreOptions = {}): ObjectStore {
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) {
    throw new KeyboundError('invalid-argument', 'expected folder to be the path of a folder');
  }
  const { location = 'file' } = checkLocationOption(options);
  return new FileStore(resolve(folder), location);
}

class FileStore implements ObjectStore {
  readonly #tree: Tree;

  constructor(
    root: string,
    readonly location: string,
  ) {
    this.#tree = new Tree(root);
  }

  async describe(options?: { readonly signal?: AbortSignal }): Promise<StoreDescription> {
    checkSignal(checkSignalOption(options).signal);
    const { location } = this;
    try {
      await this.#tree.makeRoot();
      const { exclusiveLink, exclusiveRename } = await probe(this.#tree.scratch);
      return {
        location,
        conditionalCreate: exclusiveLink,
        conditionalReplace: exclusiveLink && exclusiveRename,
      };
    } catch (error) {
      if (keepsFromWriting(error) && (await exists(this.#tree.root).catch(() => false))) {
        // Whoever cannot write breaks no guarantee, and may be here to read. Each write will say why it failed.
        return { location, conditionalCreate: true, conditionalReplace: true };
      }
      throw storeError(error, `try out the store in ${quoteName(this.#tree.root)}`);
    }
  }

  async get(key: ObjectKey, given?: GetOptions): Promise<StoredObject | null> {
    checkObjectKey(key);
    const { range, version, signal } = checkGetOptions(given);
    checkSignal(signal);
    const doing = `read object ${quoteKey(key)}`;
    try {
      const opened = await openObject(this.#tree.place(key).file);
      try {
        checkPinned(key, version, opened?.version ?? null);
      } catch (error) {
        await opened?.file.close();
        throw error;
      }
      if (opened === null) return null;
      const end = Math.min(range?.end ?? opened.size, opened.size);
      return {
        size: opened.size,
        version: opened.version,
        bytes: readObject(opened, range?.start ?? 0, end, doing, signal),
      };
    } catch (error) {
      throw storeError(error, doing);
    }
  }

  async head(key: ObjectKey, options?: { readonly signal?: AbortSignal }): Promise<StoredInfo | null> {
    checkObjectKey(key);
    checkSignal(checkSignalOption(options).signal);
    try {
      return await infoAt(this.#tree.place(key).file);
    } catch (error) {
      throw storeError(error, `look at object ${quoteKey(key)}`);
    }
  }

  async put(key: ObjectKey, source: AsyncIterable<Uint8Array>, given?: PutOptions): Promise<StoredInfo> {
    const reader = new SourceReader(source, pieceSize, given?.signal);
    try {
      checkObjectKey(key);
      const options = checkPutOptions(given);
      return await this.#put(key, reader, options).catch((error: unknown) => {
        throw reader.threw(error) ? error : storeError(error, `store object ${quoteKey(key)}`);
      });
    } finally {
      await reader.close();
    }
  }

  async #put(key: ObjectKey, reader: SourceReader, options: PutOptions): Promise<StoredInfo> {
    checkSignal(options.signal);
    const place = this.#tree.place(key);
    // Here for the sake of the source, which may be long; what counts is the check at the end.
    if (options.if !== undefined) await this.#check(key, place, options.if);
    await this.#tree.make(key.folder);
    return lendFile(
      this.#tree.scratch,
      (file) => writeObject(file, reader),
      async (staged, info) => {
        checkSignal(options.signal);
        if (!(await this.#create(key, place, staged, options))) {
          await this.#replace(key, place, staged, options);
        }
        await syncFolder(place.folder);
        return info;
      },
    );
  }

  /** Without the lock, where one link does it all; false if that cannot be. */
  async #create(key: ObjectKey, place: ObjectPlace, staged: string, options: PutOptions): Promise<boolean> {
    // A true name goes with its object, so both change under the lock.
    if (place.nameFile !== null || typeof options.if === 'object') return false;
    if (await linkNew(staged, place.file)) return true;
    if (options.if === 'absent') throw objectExists(key);
    return false;
  }

  #replace(key: ObjectKey, place: ObjectPlace, staged: string, options: PutOptions): Promise<void> {
    return withFencedLock(place.lock, this.#tree.scratch, options.signal, async (lock) => {
      if (options.if !== undefined) await this.#check(key, place, options.if);
      if (place.nameFile !== null) await keepName(this.#tree.scratch, place.nameFile, key.name);
      await lock.replace(place.file, staged);
    });
  }

  async #check(key: ObjectKey, place: ObjectPlace, condition: PutOptions['if']): Promise<void> {
    checkCondition(key, condition, (await infoAt(place.file))?.version ?? null);
  }

  async delete(key: ObjectKey, given?: DeleteOptions): Promise<boolean> {
    checkObjectKey(key);
    const options = checkDeleteOptions(given);
    checkSignal(options.signal);
    try {
      return await this.#delete(key, this.#tree.place(key), options);
    } catch (error) {
      throw storeError(error, `delete object ${quoteKey(key)}`);
    }
  }

  async #delete(key: ObjectKey, place: ObjectPlace, options: DeleteOptions): Promise<boolean> {
    const status = await statusOf(place.file);
    if (status === null) return false;
    if (status.isDirectory()) throw new Damaged('a folder lies in its place; look at it, and move it away');
    await this.#tree.makeRoot();
    let removed = false;
    const deleted = await withFencedLock(place.lock, this.#tree.scratch, options.signal, async (lock) => {
      // The lock was lost after the object went: what is there now is another one.
      if (removed) return true;
      if (options.if !== undefined) {
        const found = await infoAt(place.file);
        if (found === null) return false;
        checkCondition(key, options.if, found.version);
      }
      removed = await lock.remove(place.file);
      if (removed && place.nameFile !== null) await lock.remove(place.nameFile);
      return removed;
    });
    if (deleted) await syncFolder(place.folder);
    return deleted;
  }

  async list(folder: string, given?: ListOptions): Promise<ListPage<StoredEntry>> {
    checkFolder(folder);
    const options = checkListOptions(given);
    checkSignal(options.signal);
    try {
      const path = this.#tree.folder(folder);
      const { entries, ...rest } = pageOf(await objectNames(path, options.signal), options);
      const look = async (name: string): Promise<StoredEntry | null> => {
        const info = await listedAt(this.#tree.place({ folder, name }).file);
        return info === null ? null : { name, ...info };
      };
      return { entries: await lookAt(entries, options.signal, look), ...rest };
    } catch (error) {
      throw storeError(error, `list folder ${quoteName(folder)}`);
    }
  }

  async folders(folder: string, given?: ListOptions): Promise<ListPage<string>> {
    checkFolder(folder);
    const options = checkListOptions(given);
    checkSignal(options.signal);
    try {
      const path = this.#tree.folder(folder);
      const { entries, ...rest } = pageOf(await folderNames(path, options.signal), options);
      const look = async (segment: string): Promise<string | null> =>
        (await holdsObject(join(path, entryOf(segment)), options.signal)) ? segment : null;
      return { entries: await lookAt(entries, options.signal, look), ...rest };
    } catch (error) {
      throw storeError(error, `list the folders in ${quoteName(folder)}`);
    }
  }
}
