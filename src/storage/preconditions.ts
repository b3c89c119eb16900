import { KeyboundError } from '../errors.js';
import { quote } from '../internal/quote.js';
import { type ObjectKey, type PutOptions } from './store.js';

/** For messages: an object's place in one short line. */
export function quoteKey({ folder, name }: ObjectKey): string {
  return `${quoteName(name)} in folder ${quoteName(folder)}`;
}

/** For messages: a name, at most about 80 characters of it. */
export const quoteName = (name: string): string => quote(name, 80);

/** Throws `object-exists` or `precondition-failed` unless `condition` holds for an object now at `version`, null if there is none. */
export function checkCondition(key: ObjectKey, condition: PutOptions['if'], version: string | null): void {
  if (condition === 'absent') {
    if (version !== null) throw objectExists(key);
  } else if (condition !== undefined && condition.version !== version) {
    throw new KeyboundError(
      'precondition-failed',
      `object ${quoteKey(key)} is ${version === null ? 'gone' : 'at another version'}: read it again`,
    );
  }
}

export const objectExists = (key: ObjectKey): KeyboundError =>
  new KeyboundError('object-exists', `object ${quoteKey(key)} exists already`);

/** Throws `object-changed` if `expected` is given and is not the version found, null if there is no object. */
export function checkPinned(key: ObjectKey, expected: string | undefined, version: string | null): void {
  if (expected === undefined || expected === version) return;
  throw new KeyboundError(
    'object-changed',
    `object ${quoteKey(key)} was ${version === null ? 'deleted' : 'replaced'} since it was first read`,
  );
}
