import { KeyboundError } from '../../../errors.js';
import { type ParsedKeyUri } from '../../provider.js';

export const scheme = 'local';
const prefix = `${scheme}://`;
/** Design §2 leaves names of local keys open; these fit a file name and a DNS label's length. */
export const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const nameRule = 'a key name of 1 to 63 characters [a-z0-9][a-z0-9._-]*';

/** What is wrong with a name, without repeating it: it might be a key, given in the wrong place. */
function fault(name: unknown): string {
  if (typeof name !== 'string') return typeof name;
  if (name.length === 0) return 'an empty one';
  if (name.length > 63) return `${String(name.length)} characters`;
  return 'other characters in it';
}

/** The name, if it is one. Throws `invalid-argument`. */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && namePattern.test(name)) return name;
  throw new KeyboundError('invalid-argument', `expected ${nameRule}, got ${fault(name)}`);
}

export const uriOf = (name: string): string => prefix + name;

/** The name in a `local://` URI. Throws `invalid-argument`. */
export function nameOf(uri: unknown): string {
  if (typeof uri === 'string' && uri.startsWith(prefix)) return checkName(uri.slice(prefix.length));
  const other = typeof uri === 'string' ? /^[a-z0-9+.-]{1,32}:\/\//.exec(uri)?.[0] : undefined;
  const got = typeof uri === 'string' ? (other ?? 'something else') : typeof uri;
  throw new KeyboundError('invalid-argument', `expected a key URI such as local://name, got ${got}`);
}

export function parseLocalUri(uri: string): ParsedKeyUri {
  return { uri: uriOf(nameOf(uri)), location: 'local' };
}
