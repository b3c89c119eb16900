import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freeAbandonedLock, lockSuffix } from './fenced-lock.js';
import { isOfDeadProcess } from './process-tag.js';

/**
 * Clears a scratch folder, in which everything has a tag or is a lock, of what dead processes of this machine left,
 * and of what nobody has changed for `ageMs`, whosever it is. As far as that succeeds: it must not keep anyone from
 * working.
 */
export async function sweepLeftovers(folder: string, ageMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    try {
      const isOld = Date.now() - (await lstat(path)).mtimeMs > ageMs;
      if (name.endsWith(lockSuffix)) await freeAbandonedLock(path, isOld);
      else if (isOld || isOfDeadProcess(name)) await rm(path, { recursive: true, force: true });
    } catch {
      // Another process may have removed it first; otherwise the next sweep tries again.
    }
  }
}
