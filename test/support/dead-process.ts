import { spawnSync } from 'node:child_process';
import { newTag } from '../../src/internal/process-tag.js';

/** The id of a process that has ended, and was waited for. */
export const deadProcess = (): number => spawnSync(process.execPath, ['--version']).pid;

/** A tag as a process of this machine makes it, now dead. */
export function tagOfTheDead(id: number = deadProcess()): string {
  const [host = '', , random = ''] = newTag().split('!');
  return [host, String(id), random].join('!');
}
