/*
 * What messages say of a value that a caller gave: enough to find it, and nothing that does harm where it is printed.
 */

/** What steers a terminal, turns the direction of text or ends a line somewhere. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A caller's text in quotes, in one line of at most about `most` characters; of anything else its kind. */
export function quote(value: unknown, most = 96): string {
  if (typeof value !== 'string') return kindOf(value);
  // Cut first: a text of any length may be given. Then again, as escapes take more room.
  const quoted = JSON.stringify(value.slice(0, most + 1)).replace(unprintable, '\ufffd');
  return quoted.length > most + 2 ? `${quoted.slice(0, most).toWellFormed()}…"` : quoted;
}

/** Kind of a value: never the value itself. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return 'an array';
  return 'then' in value ? 'a promise; await it first' : 'object';
}
