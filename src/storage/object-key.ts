/*
 * The one check of folders and object keys. Every store makes it before any I/O, whoever its caller is.
 */
import { KeyboundError } from '../errors.js';
import { utf8 } from '../internal/bytes.js';
import { kindOf } from '../internal/quote.js';
import { shape, type Fail } from '../internal/shape.js';
import { type ObjectKey } from './store.js';

/** Longest folder, in bytes. */
export const maxFolderLength = 400;
/** Longest name of an object, in bytes of UTF-8. */
export const maxNameLength = 512;

const segmentPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/;

const refuse: Fail = (message) => {
  throw new KeyboundError('invalid-argument', message);
};

/** Throws `invalid-argument` unless `folder` is one as {@link ObjectKey} says. */
export function checkFolder(folder: unknown): void {
  const text = shape.string(folder, 'folder', refuse);
  if (text.length > maxFolderLength || !text.split('/').every((segment) => segmentPattern.test(segment))) {
    refuse(
      `expected a folder of segments [A-Za-z0-9._-]{1,128} (not . or ..) joined by /, of at most ${String(maxFolderLength)} bytes`,
    );
  }
}

/** Throws `invalid-argument` unless `key` is one as {@link ObjectKey} says. */
export function checkObjectKey(key: ObjectKey): void {
  // The type promises an object; callers of plain JavaScript do not.
  const given: unknown = key;
  if (typeof given !== 'object' || given === null)
    refuse(`expected a key { folder, name }, got ${kindOf(given)}`);
  checkFolder(key.folder);
  const length = utf8(shape.string(key.name, 'name', refuse)).length;
  if (length < 1 || length > maxNameLength) {
    refuse(`expected a name of 1 to ${String(maxNameLength)} bytes, got ${String(length)}`);
  }
}
