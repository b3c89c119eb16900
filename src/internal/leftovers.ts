import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freeAbandonedLock, lockSuffix } from './fenced-lock.js';
import { isOfDeadProcess, isTag } from './process-tag.js';

const lockPattern = new RegExp(`^[0-9a-f]{64}\\${lockSuffix}$`);

/** Of its own: a link to one is none. */
const isFolder = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => null))?.isDirectory() ?? false;

/**
 * Clears a scratch folder, in which everything has a tag or is a lock, of what dead processes of this machine left,
 * and of what nobody has changed for `ageMs`, whosever it is. As far as that succeeds: it must not keep anyone from
 * working. Others may write there too: links are never followed, and what is named otherwise is not touched.
 */
export async function sweepLeftovers(folder: string, ageMs: number): Promise<void> {
  if (!(await isFolder(folder))) return;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const isLock = lockPattern.test(name);
    if (!isLock && !isTag(name)) continue;
    const path = join(folder, name);
    try {
      const status = await lstat(path);
      const isOld = Date.now() - status.mtimeMs > ageMs;
      if (isLock && status.isDirectory()) await freeAbandonedLock(path, isOld);
      else if (isOld || isOfDeadProcess(name)) await rm(path, { recursive: true, force: true });
    } catch {
      // Another process may have removed it first; otherwise the next sweep tries again.
    }
  }
}
