import { KeyboundError } from '../errors.js';
import { concat, u32, utf8 } from '../internal/bytes.js';

/** The fourth byte says what follows the first four (design §4); one suite per form, nothing is negotiated. */
export const form = { record: 1, object: 2, directObject: 3 } as const;
export type Form = (typeof form)[keyof typeof form];

const magic = utf8('KBD');
/** Magic and form byte. */
export const magicLength = 4;

export function formPrefix(which: Form): Uint8Array {
  return concat(magic, Uint8Array.of(which));
}

/** Reads the form byte; throws `not-ciphertext` or `unsupported-form`. */
export function readForm(bytes: Uint8Array): Form {
  if (bytes.length < magicLength || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new KeyboundError('not-ciphertext', 'expected bytes made by keybound, got something else');
  }
  const found = bytes[3] ?? 0;
  const known = Object.values(form).find((value) => value === found);
  if (known === undefined) {
    throw new KeyboundError('unsupported-form', `expected form 1, 2 or 3, got form ${String(found)}`);
  }
  return known;
}

/** Reads the form byte and refuses any form but `expected`. */
export function expectForm(bytes: Uint8Array, expected: Form): void {
  const found = readForm(bytes);
  if (found !== expected) {
    throw new KeyboundError(
      'unsupported-form',
      `expected form ${String(expected)} here, got form ${String(found)}`,
    );
  }
}

/** Magic, form and generation: how records and objects begin. */
export const generationPrefix = (which: Form, generation: number): Uint8Array =>
  concat(formPrefix(which), u32(generation));
