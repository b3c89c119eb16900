import { KeyboundError, type ErrorCode } from '../../../errors.js';
import { errnoOf } from '../../../internal/fenced-lock.js';

/** What an errno means to the store's caller. Everything else is `store-failed`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'store-full',
  EDQUOT: 'store-full',
  EACCES: 'store-denied',
  EPERM: 'store-denied',
  EROFS: 'store-denied',
  EMFILE: 'store-unavailable',
  ENFILE: 'store-unavailable',
  EBUSY: 'store-unavailable',
  EAGAIN: 'store-unavailable',
};

/** A file that is not as this store writes them; the message says how. */
export class Damaged extends Error {}

/** What a failure of the file system is to the store's caller. A `KeyboundError` is returned as it is. */
export function storeError(error: unknown, doing: string): KeyboundError {
  if (error instanceof KeyboundError) return error;
  const errno = errnoOf(error);
  const code = errno !== undefined && Object.hasOwn(codes, errno) ? codes[errno] : undefined;
  const reason = error instanceof Damaged ? error.message : (errno ?? 'for a reason of its own, see cause');
  return new KeyboundError(code ?? 'store-failed', `could not ${doing}: ${reason}`, {
    ...(errno === undefined ? {} : { details: { errno } }),
    cause: error,
  });
}
