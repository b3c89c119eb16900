/*
 * A lock on one file, between processes, that stays safe when its holder stalls or dies.
 *
 * The lock is a folder at `lockPath`, put there by renaming a prepared, non-empty folder (rename refuses to replace a
 * non-empty one, so one contender wins). Inside lies a subfolder whose name nobody else ever uses: the hold. Every change
 * under the lock is one rename whose source or target path leads through the hold, and the lock is free only once the
 * hold is deleted, after which not even a rename that had found its way there succeeds. So whoever lost the lock cannot
 * do harm, and it may be taken away from a holder that seems dead, even wrongly. docs/decisions/0004-file-store.md
 */
import { link, lstat, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, isMissing } from './errno.js';
import { isOfDeadProcess, newTag } from './process-tag.js';
import { checkSignal } from './signal.js';

/** Ends the name of a lock that lies in a scratch folder. */
export const lockSuffix = '.lock';

/** After so long with one holder, as seen by one contender, the lock is taken away. Work under it takes milliseconds. */
const patienceMs = 10_000;

/** Thrown inside the work when the lock was taken away; the work then runs again. */
class LockLost extends Error {}

const isNotEmpty = (error: unknown): boolean => {
  const code = errnoOf(error);
  return code === 'ENOTEMPTY' || code === 'EEXIST';
};

export interface FencedLock {
  /** Makes `target` a second name of the file `staged`, replacing what was there, in one step. */
  replace(target: string, staged: string): Promise<void>;
  /** Takes `target` away in one step; false if there is none. */
  remove(target: string): Promise<boolean>;
}

class HeldLock implements FencedLock {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async replace(target: string, staged: string): Promise<void> {
    const through = join(this.#folder, 'new');
    try {
      await link(staged, through);
      await rename(through, target);
    } catch (error) {
      throw await this.#judge(error);
    }
  }

  async remove(target: string): Promise<boolean> {
    try {
      await rename(target, join(this.#folder, 'old'));
      return true;
    } catch (error) {
      const judged = await this.#judge(error);
      if (isMissing(judged)) return false;
      throw judged;
    }
  }

  /** ENOENT means that the lock is lost, unless its folder is still there: then a file is missing. */
  async #judge(error: unknown): Promise<unknown> {
    if (!isMissing(error)) return error;
    const held = await stat(this.#folder).then(
      () => true,
      () => false,
    );
    return held ? error : new LockLost();
  }
}

/**
 * Runs `work` while holding the lock at `lockPath`. `work` must be repeatable: it runs again if the lock was taken
 * away before its change took effect. `scratch` is an existing folder on the same file system for what is prepared or discarded.
 */
export async function withFencedLock<T>(
  lockPath: string,
  scratch: string,
  signal: AbortSignal | undefined,
  work: (lock: FencedLock) => Promise<T>,
): Promise<T> {
  for (;;) {
    const tag = newTag();
    await acquire(lockPath, scratch, tag, signal);
    try {
      return await work(new HeldLock(join(lockPath, tag)));
    } catch (error) {
      if (!(error instanceof LockLost)) throw error;
    } finally {
      // What was done is done, and an error of the work counts for more. The next contender ends the hold then.
      await end(lockPath, tag).catch(() => undefined);
    }
  }
}

/**
 * Frees a lock that nobody may ever ask for again, if its holder is certainly dead; with `whoever`, also anyone else's,
 * which costs a living holder no more than a retry.
 */
export async function freeAbandonedLock(lockPath: string, whoever: boolean): Promise<void> {
  const holder = await holderOf(lockPath);
  if (holder === undefined) await removeEmpty(lockPath);
  else if (whoever || isOfDeadProcess(holder)) await end(lockPath, holder);
}

async function acquire(
  lockPath: string,
  scratch: string,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const prepared = join(scratch, tag);
  let seen: string | undefined;
  let since = 0;
  try {
    // One by one: a recursive mkdir reports a full or read-only disk as a missing folder.
    await mkdir(prepared, { mode: 0o700 });
    await mkdir(join(prepared, tag), { mode: 0o700 });
    for (;;) {
      checkSignal(signal);
      try {
        await rename(prepared, lockPath);
        return;
      } catch (error) {
        if (!isNotEmpty(error)) throw error;
      }
      const holder = await holderOf(lockPath);
      if (holder === undefined) continue;
      if (holder !== seen) {
        seen = holder;
        since = performance.now();
      }
      if (isOfDeadProcess(holder) || performance.now() - since > patienceMs) await end(lockPath, holder);
      else await sleep(1 + Math.random() * 8);
    }
  } catch (error) {
    await rm(prepared, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

async function holderOf(lockPath: string): Promise<string | undefined> {
  try {
    return (await readdir(lockPath))[0];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Ends one hold, one's own or another's, and no other than that. Renamed first, so that its holder sees it as lost; what
 * ends it then holds the lock until the hold is deleted.
 */
async function end(lockPath: string, tag: string): Promise<void> {
  const ending = join(lockPath, newTag());
  try {
    await rename(join(lockPath, tag), ending);
    await deleteFolder(ending);
  } catch (error) {
    // Ended by someone else.
    if (isMissing(error)) return;
    throw error;
  }
  await removeEmpty(lockPath);
}

/** Takes away a lock's folder that holds nothing; leaves it to whoever has taken it anew or removed it. */
async function removeEmpty(lockPath: string): Promise<void> {
  try {
    await rmdir(lockPath);
  } catch (error) {
    if (!isMissing(error) && !isNotEmpty(error)) throw error;
  }
}

async function deleteFolder(path: string): Promise<void> {
  // Whoever may write here may have planted a link to elsewhere.
  if (!(await lstat(path)).isDirectory()) {
    await rm(path, { force: true });
    return;
  }
  for (;;) {
    for (const name of await readdir(path)) await rm(join(path, name), { force: true, recursive: true });
    try {
      await rmdir(path);
      return;
    } catch (error) {
      // A rename under way when the hold was ended put something there.
      if (!isNotEmpty(error)) throw error;
    }
  }
}
