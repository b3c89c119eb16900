/*
 * The one check of options that every store makes: a misspelt precondition must not become none (design §5 rule 11).
 */
import { KeyboundError } from '../errors.js';
import { shape, type Fail, type Shape } from '../internal/shape.js';

/** Most entries of one page, as {@link ListOptions} says. */
const maxPageEntries = 1000;

const refuse: Fail = (message) => {
  throw new KeyboundError('invalid-argument', message);
};

const signal: Shape<AbortSignal> = (value, path, fail) =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
    ? // Recognised by its members: signals of another realm or a polyfill are as good.
      (value as AbortSignal)
    : fail(`expected ${path} to be an AbortSignal`);

const version = shape.object({ version: shape.string });

const condition: Shape<'absent' | { version: string }> = (value, path, fail) =>
  value === 'absent' ? value : version(value, path, fail);

const end = shape.integer(1, Number.MAX_SAFE_INTEGER);

const range: Shape<{ start: number; end: number }> = (value, path, fail) => {
  const checked = shape.object({ start: shape.integer(0, Number.MAX_SAFE_INTEGER), end })(value, path, fail);
  return checked.start < checked.end ? checked : fail(`expected ${path} to end after its start`);
};

const checker =
  <T>(options: Shape<T>) =>
  (given: unknown = {}): T =>
    options(given, 'options', refuse);

/** Each returns what was checked and nothing else, and throws `invalid-argument`. */
export const checkSignalOption = checker(shape.object({ signal: shape.optional(signal) }));

export const checkGetOptions = checker(
  shape.object({
    range: shape.optional(range),
    version: shape.optional(shape.string),
    signal: shape.optional(signal),
  }),
);

export const checkPutOptions = checker(
  shape.object({ if: shape.optional(condition), signal: shape.optional(signal) }),
);

export const checkDeleteOptions = checker(
  shape.object({ if: shape.optional(version), signal: shape.optional(signal) }),
);

export const checkListOptions = checker(
  shape.object({
    prefix: shape.optional(shape.string),
    cursor: shape.optional(shape.string),
    limit: shape.optional(shape.integer(1, maxPageEntries)),
    signal: shape.optional(signal),
  }),
);

/** Options of a store that is told its location: `file`, `memory`, `aws:eu-west-1`. */
export const checkLocationOption = checker(
  shape.object({
    location: shape.optional(
      shape.text(/^[a-z0-9-]{1,64}(:[a-z0-9-]{1,64})?$/, 'a location such as file or aws:eu-west-1'),
    ),
  }),
);
