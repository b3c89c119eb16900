import { KeyboundError } from '../../../errors.js';
import { uriOf } from './uri.js';

/** `where` it was looked for, and what to do. */
export const unknownKey = (name: string, where: string): KeyboundError =>
  new KeyboundError('key-not-found', `there is no key ${uriOf(name)} ${where}`, {
    details: { key: uriOf(name) },
  });

export const disabledKey = (name: string): KeyboundError =>
  new KeyboundError(
    'key-revoked',
    `key ${uriOf(name)} is disabled: enable it to make what it protects readable again`,
    { details: { key: uriOf(name), reason: 'disabled' } },
  );

export const destroyedKey = (name: string): KeyboundError =>
  new KeyboundError('key-destroyed', `key ${uriOf(name)} was destroyed: what it protected is gone for good`, {
    details: { key: uriOf(name), reason: 'destroyed' },
  });
