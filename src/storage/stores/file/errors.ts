import { KeyboundError, type ErrorCode } from '../../../errors.js';
import { errnoOf } from '../../../internal/errno.js';

interface Meaning {
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly advice: string;
}

const full: Meaning = { code: 'store-full', advice: 'make room on its disk, or raise the quota' };
const denied: Meaning = {
  code: 'store-denied',
  advice: 'let this process read and write the store’s folder',
};
const busy: Meaning = { code: 'store-unavailable', advice: 'wait and repeat' };
const inTheWay: Meaning = {
  code: 'store-failed',
  advice: 'something else lies in its place: look at it, and move it away',
};

/** What an errno means to the store's caller. */
const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: denied,
  EPERM: denied,
  EROFS: { code: 'store-denied', advice: 'mount its disk for writing' },
  EMFILE: busy,
  ENFILE: busy,
  EBUSY: busy,
  EAGAIN: busy,
  EISDIR: inTheWay,
  ENOTDIR: inTheWay,
  ELOOP: inTheWay,
  ENXIO: inTheWay,
  EIO: { code: 'store-failed', advice: 'its disk is failing: check it, and restore what it lost' },
};
const unknown: Meaning = { code: 'store-failed', advice: 'see cause' };

/** A file that is not as this store writes them; the message says how, and what to do. */
export class Damaged extends Error {}

/** Whether a failure to read a file is that file's own, so that others of its folder may be well. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Damaged || ['EIO', 'ELOOP'].includes(errnoOf(error) ?? '');

/** Whether a failure is to this process's writing, and says nothing of its reading. */
export const keepsFromWriting = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');

/** What a failure of the file system is to the store's caller. A `KeyboundError` is returned as it is. */
export function storeError(error: unknown, doing: string): KeyboundError {
  if (error instanceof KeyboundError) return error;
  const errno = errnoOf(error);
  const known = errno !== undefined && Object.hasOwn(meanings, errno) ? meanings[errno] : undefined;
  const { code, advice } = known ?? unknown;
  const reason = error instanceof Damaged ? error.message : `${errno ?? 'an error of its own'}; ${advice}`;
  return new KeyboundError(code, `could not ${doing}: ${reason}`, {
    ...(errno === undefined ? {} : { details: { errno } }),
    cause: error,
  });
}
