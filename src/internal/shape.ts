/*
 * Exact shapes for JSON that comes from storage and for options that come from callers: no unknown members, no
 * inherited ones, nothing coerced. A shape returns a fresh value that holds only what was checked.
 */

import { fromUtf8 } from './bytes.js';
import { kindOf, quote } from './quote.js';

/** Reports what is wrong, as `expected X, got Y`, by throwing. */
export type Fail = (message: string) => never;
export type Shape<T> = (value: unknown, path: string, fail: Fail) => T;
type Optional<T> = Shape<T> & { readonly optional: true };
type Members = Record<string, Shape<unknown>>;

type Shaped<M extends Members> = {
  -readonly [K in keyof M as M[K] extends Optional<unknown> ? never : K]: M[K] extends Shape<infer T>
    ? T
    : never;
} & {
  -readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Shape<infer T>
    ? T
    : never;
};

/** Where a member of a record is: its name may be anything. */
const memberPath = (path: string, key: string): string =>
  /^[\w-]{1,40}$/.test(key) ? `${path}.${key}` : `${path}[${quote(key, 60)}]`;

/** Whether a prototype is that of object literals, of whichever realm. */
const isPlain = (prototype: object | null): boolean =>
  prototype === null ||
  (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'));

/** Anything else, such as a map, would say nothing that is looked at, and be ignored. */
export function plainObject(value: unknown, path: string, fail: Fail): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(`expected ${path} to be an object, got ${kindOf(value)}`);
  }
  // Typed as any: a prototype is an object or null.
  if (!isPlain(Object.getPrototypeOf(value) as object | null)) {
    const kind = kindOf(value);
    return fail(
      `expected ${path} to be a plain object, got ${kind === 'object' ? 'an instance of a class' : kind}`,
    );
  }
  // Its own enumerable members are what is looked at below.
  return value as Record<string, unknown>;
}

const string: Shape<string> = (value, path, fail) => {
  if (typeof value !== 'string') return fail(`expected ${path} to be a string, got ${kindOf(value)}`);
  if (!value.isWellFormed()) return fail(`expected ${path} to be well-formed Unicode, got a lone surrogate`);
  return value;
};

export const shape = {
  string,

  boolean: ((value, path, fail) =>
    typeof value === 'boolean'
      ? value
      : fail(`expected ${path} to be true or false, got ${kindOf(value)}`)) as Shape<boolean>,

  /** A whole number from `min` to `max`. */
  integer:
    (min: number, max: number): Shape<number> =>
    (value, path, fail) =>
      typeof value === 'number' &&
      Number.isInteger(value) &&
      value >= min &&
      value <= max &&
      !Object.is(value, -0)
        ? value
        : fail(
            `expected ${path} to be a whole number from ${String(min)} to ${String(max)}, got ${typeof value === 'number' ? String(value) : kindOf(value)}`,
          ),

  /** A string that matches; `description` says what is expected. */
  text:
    (pattern: RegExp, description: string): Shape<string> =>
    (value, path, fail) => {
      const text = string(value, path, fail);
      return pattern.test(text) ? text : fail(`expected ${path} to be ${description}`);
    },

  literal:
    <const T extends string>(...values: readonly T[]): Shape<T> =>
    (value, path, fail) =>
      values.find((one) => one === value) ??
      fail(`expected ${path} to be one of ${values.join(', ')}, got ${kindOf(value)}`),

  nullable:
    <T>(inner: Shape<T>): Shape<T | null> =>
    (value, path, fail) =>
      value === null ? null : inner(value, path, fail),

  array:
    <T>(inner: Shape<T>, min: number, max: number): Shape<T[]> =>
    (value, path, fail) => {
      if (!Array.isArray(value)) return fail(`expected ${path} to be an array, got ${kindOf(value)}`);
      if (value.length < min || value.length > max) {
        return fail(
          `expected ${path} to have ${String(min)} to ${String(max)} elements, got ${String(value.length)}`,
        );
      }
      // Unlike map(), from() visits holes.
      return Array.from(value, (element: unknown, i) => inner(element, `${path}[${String(i)}]`, fail));
    },

  /** An object with caller-chosen member names. */
  record:
    <T>(inner: Shape<T>): Shape<Record<string, T>> =>
    (value, path, fail) => {
      const entries = Object.entries(plainObject(value, path, fail)).map(([key, member]) => [
        string(key, `a member name of ${path}`, fail),
        inner(member, memberPath(path, key), fail),
      ]);
      // fromEntries defines members, so that a member named __proto__ is an ordinary one.
      return Object.fromEntries(entries) as Record<string, T>;
    },

  optional: <T>(inner: Shape<T>): Optional<T> =>
    Object.assign(((value, path, fail) => inner(value, path, fail)) as Shape<T>, { optional: true as const }),

  /** An object with exactly these members. An optional member may be absent or undefined. */
  object:
    <M extends Members>(members: M): Shape<Shaped<M>> =>
    (value, path, fail) => {
      const object = plainObject(value, path, fail);
      for (const key of Object.keys(object)) {
        if (!Object.hasOwn(members, key)) return fail(`expected no member ${quote(key, 60)} in ${path}`);
      }
      const out: Record<string, unknown> = {};
      for (const [key, member] of Object.entries(members)) {
        const present = Object.hasOwn(object, key) && object[key] !== undefined;
        if (present) out[key] = member(object[key], `${path}.${key}`, fail);
        else if (!('optional' in member)) return fail(`expected ${path}.${key}, got nothing`);
      }
      // Every member was checked by its own shape just now.
      return out as Shaped<M>;
    },
};

/**
 * Parses strict UTF-8 that is JSON in the one spelling `JSON.stringify` gives it: no white space, no member twice, no
 * other escapes.
 */
export function parseExactJson(bytes: Uint8Array, fail: Fail): unknown {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    return fail('expected UTF-8');
  }
  const json = parseJson(text, fail);
  return spell(json) === text ? json : fail('expected the canonical spelling of its JSON');
}

/** `JSON.stringify`, which gives up on nesting that JSON.parse still takes. */
function spell(json: unknown): string | null {
  try {
    return JSON.stringify(json);
  } catch {
    return null;
  }
}

/** Parses JSON; a syntax error is reported without the input. */
export function parseJson(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return fail('expected JSON, got something else');
  }
}
