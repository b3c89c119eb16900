import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../../internal/errno.js';
import { linkNew, openNew } from './disk.js';
import { freshPath } from './scratch.js';

/** What a file system answers that has no hard links. */
const unsupported: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);
/** What rename answers to a folder that would replace one with something in it. */
const refused: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST']);

/** What {@link probe} finds. */
export interface Abilities {
  /** A hard link is made, and never over an existing file. */
  readonly exclusiveLink: boolean;
  /** A folder never replaces one that is not empty: what the lock stands on. */
  readonly exclusiveRename: boolean;
}

/** Tries in `scratch` what the store's guarantees stand on. */
export async function probe(scratch: string): Promise<Abilities> {
  const path = freshPath(scratch);
  await mkdir(path, { mode: 0o700 });
  try {
    return {
      exclusiveLink: await linksExclusively(path),
      exclusiveRename: await renamesExclusively(path),
    };
  } finally {
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function linksExclusively(path: string): Promise<boolean> {
  const file = join(path, 'file');
  await (await openNew(file)).close();
  try {
    return (await linkNew(file, join(path, 'link'))) && !(await linkNew(file, join(path, 'link')));
  } catch (error) {
    if (unsupported.has(errnoOf(error))) return false;
    throw error;
  }
}

async function renamesExclusively(path: string): Promise<boolean> {
  // One by one: a recursive mkdir reports a full disk as a missing folder.
  for (const folder of ['held', 'held/holder', 'wanted', 'wanted/contender']) await mkdir(join(path, folder));
  try {
    await rename(join(path, 'wanted'), join(path, 'held'));
    return false;
  } catch (error) {
    if (refused.has(errnoOf(error))) return true;
    throw error;
  }
}
