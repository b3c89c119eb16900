/*
 * Tags that say whose something on a shared disk is, so that what a dead process left can be told from what a living
 * one is using.                                                                 docs/decisions/0004-file-store.md
 *
 *   tag = <host> '!' <process id> '!' <24 random hex digits>
 *
 * `host` stands for everything that process ids are counted within. Two containers of one machine may share a volume,
 * a host name and all their process ids, so on Linux it takes in the boot and the process id namespace.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { toHex, utf8 } from './bytes.js';
import { errnoOf } from './errno.js';

/** At most 10 digits: what else is in a name is no process of ours. */
const tagPattern = /^([0-9a-f]{32})!([1-9][0-9]{0,9})![0-9a-f]{24}$/;

/** Whether a name has the form of a tag, whosever. */
export const isTag = (name: string): boolean => tagPattern.test(name);

function whereIdsAreCounted(): string {
  if (process.platform !== 'linux') return '';
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Then nobody can tell whether this process is alive, and nobody shall believe it dead.
    return toHex(randomBytes(16));
  }
}

function computeHostTag(): string {
  const parts = JSON.stringify([hostname(), whereIdsAreCounted()]);
  return createHash('sha256').update(utf8(parts)).digest('hex').slice(0, 32);
}

let knownHostTag: string | undefined;
const hostTag = (): string => (knownHostTag ??= computeHostTag());

/** A file name of 68 characters at most that says which process made it, and that nobody else ever makes. */
export const newTag = (): string => `${hostTag()}!${String(process.pid)}!${toHex(randomBytes(12))}`;

/**
 * Whether the process that made a tag is certainly gone. False if it lives, if another one has its id by now, if it is
 * of another machine, container or boot, and for any other name.
 */
export function isOfDeadProcess(tag: string): boolean {
  const [, host, id] = tagPattern.exec(tag) ?? [];
  if (id === undefined || host !== hostTag()) return false;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return errnoOf(error) === 'ESRCH';
  }
}
