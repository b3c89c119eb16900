import { KeyboundError } from '../errors.js';
import { quote } from '../internal/quote.js';

/** Design §2: 2 to 128 characters. */
export const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,127}$/;
/** Design §2: 1 to 63 characters. */
export const regionPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Registry ids and instances as callers write them. */
export const idPattern = /^[0-9a-f]{32}$/;

function check(value: unknown, pattern: RegExp, what: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new KeyboundError('invalid-argument', `expected ${what}, got ${quote(value)}`);
}

export const checkNamespace = (id: unknown): string =>
  check(id, namespacePattern, 'a namespace id of 2 to 128 characters [A-Za-z0-9][A-Za-z0-9._-]+');

export const checkRegion = (name: unknown): string =>
  check(name, regionPattern, 'a region name of 1 to 63 characters [a-z0-9][a-z0-9-]*');

export const checkId = (id: unknown, what: string): string =>
  check(id, idPattern, `${what} as 32 lower-case hex digits`);
