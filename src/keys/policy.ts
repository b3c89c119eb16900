import { type CryptoEngine } from '../crypto/engine.js';
import { KeyboundError } from '../errors.js';
import { bindingLimits, type KeyUse, type Policy } from '../format/binding-payload.js';
import { keyRef } from '../format/key-ref.js';
import { compareBytes, concat } from '../internal/bytes.js';
import { type KeyProvider, type ParsedKeyUri } from './provider.js';

/** A key of the service's own: it unlocks, but does not count as the owner's switch. */
export interface ServiceKey {
  readonly serviceKey: string;
}
/** Any of these unlocks, tried in this order. */
export interface AnyOf {
  readonly anyOf: readonly KeyPolicy[];
}
/** All of these are needed. */
export interface AllOf {
  readonly allOf: readonly KeyPolicy[];
}

/**
 * Which keys unlock a namespace. A plain key URI is the owner's key; {@link serviceKey} marks one of the service's.
 * Normalised to at most 8 alternatives of at most 4 keys each.
 */
export type KeyPolicy = string | ServiceKey | AnyOf | AllOf;

export const serviceKey = (uri: string): ServiceKey => ({ serviceKey: uri });
export const anyOf = (...policies: readonly KeyPolicy[]): AnyOf => ({ anyOf: policies });
export const allOf = (...policies: readonly KeyPolicy[]): AllOf => ({ allOf: policies });

/** What a policy consists of when written as text: the words and signs, and between them key URIs. */
const token = /\s*(?:(anyOf|allOf|serviceKey)\s*\(|([(),])|([^\s(),]+))/y;

/** Deeper than any policy that is accepted. */
const maxDepth = 16;

/**
 * Reads a policy that is written as it would be in code, without quotation marks: `local://acme`,
 * `anyOf(local://acme, allOf(local://spare, serviceKey(local://service)))`. Its key URIs are not looked at. Throws
 * `invalid-argument`.
 */
export function parseKeyPolicy(text: string): KeyPolicy {
  const fail = (): never => {
    throw new KeyboundError(
      'invalid-argument',
      'expected a key policy such as local://acme or anyOf(local://acme, allOf(local://a, serviceKey(local://b)))',
    );
  };
  if (typeof text !== 'string' || text.length > 64 * 1024) return fail();
  const pattern = new RegExp(token);
  const next = (): RegExpExecArray | null => pattern.exec(text);
  const closes = (found: RegExpExecArray | null): boolean => found?.[2] === ')';
  const read = (found: RegExpExecArray | null, depth: number): KeyPolicy => {
    const [, word, , uri] = found ?? [];
    if (uri !== undefined) return uri;
    if (word === undefined || depth === maxDepth) return fail();
    if (word === 'serviceKey') {
      const inner = next()?.[3] ?? fail();
      return closes(next()) ? serviceKey(inner) : fail();
    }
    const members: KeyPolicy[] = [];
    for (;;) {
      members.push(read(next(), depth + 1));
      const after = next();
      if (closes(after)) return word === 'anyOf' ? anyOf(...members) : allOf(...members);
      if (after?.[2] !== ',') return fail();
    }
  };
  const policy = read(next(), 0);
  return text.slice(pattern.lastIndex).trim() === '' ? policy : fail();
}

const providerMethods = ['parse', 'wrap', 'unwrap', 'describe'] as const;

function isProvider(value: unknown): value is KeyProvider {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<keyof KeyProvider, unknown>>;
  return (
    typeof given.scheme === 'string' &&
    /^[a-z][a-z0-9-]*$/.test(given.scheme) &&
    providerMethods.every((method) => typeof given[method] === 'function')
  );
}

/** The providers of one installation, by scheme. */
export class KeyProviders {
  readonly #byScheme: ReadonlyMap<string, KeyProvider>;

  /** Throws `invalid-argument`. */
  constructor(providers: readonly KeyProvider[]) {
    // A copy without holes, which every() passes over.
    const given: readonly unknown[] = Array.isArray(providers) ? Array.from<unknown>(providers) : [];
    if (given.length === 0 || !given.every(isProvider)) {
      throw new KeyboundError(
        'invalid-argument',
        'expected `keys` to list key providers, such as a localKeyring(…)',
      );
    }
    this.#byScheme = new Map(given.map((provider) => [provider.scheme, provider]));
    if (this.#byScheme.size !== given.length) {
      throw new KeyboundError(
        'invalid-argument',
        'expected one key provider for each scheme, got two for one',
      );
    }
  }

  /** The provider of a key URI. Throws `misconfigured` if there is none for its scheme. */
  of(uri: string): KeyProvider {
    // As long as a binding takes it: it is repeated in messages.
    const scheme = /^([a-z][a-z0-9-]{0,30}):\/\//.exec(uri)?.[1];
    if (scheme === undefined) {
      throw new KeyboundError(
        'invalid-argument',
        'expected a key URI such as local://name, got something else',
      );
    }
    const provider = this.#byScheme.get(scheme);
    if (provider === undefined) {
      const known = [...this.#byScheme.keys()].map((one) => `${one}://`).join(', ') || 'none';
      throw new KeyboundError(
        'misconfigured',
        `no key provider for ${scheme}://: add one to \`keys\` (there is ${known})`,
        { details: { scheme } },
      );
    }
    return provider;
  }

  parse(uri: string): ParsedKeyUri {
    return this.of(uri).parse(uri);
  }
}

type Alternatives = readonly (readonly KeyUse[])[];

const tooMany = (): never => {
  throw new KeyboundError(
    'invalid-argument',
    `expected a key policy of at most ${String(bindingLimits.alternatives)} alternatives of at most ` +
      `${String(bindingLimits.keysPerAlternative)} keys each, got more`,
  );
};

/** What a policy is, checked: the types of callers promise it, their JavaScript may not keep it. */
function read(
  policy: unknown,
): { uri: string; by: KeyUse['by'] } | { any: boolean; members: readonly unknown[] } {
  if (typeof policy === 'string') return { uri: policy, by: 'owner' };
  const [[kind, value] = [], ...more] = Object.entries((policy ?? {}) as Record<string, unknown>);
  if (more.length === 0) {
    if (kind === 'serviceKey' && typeof value === 'string') return { uri: value, by: 'service' };
    const listed = kind === 'anyOf' || kind === 'allOf';
    if (listed && Array.isArray(value) && value.length > 0) return { any: kind === 'anyOf', members: value };
  }
  throw new KeyboundError(
    'invalid-argument',
    'expected a key policy: a key URI, serviceKey(…), or anyOf(…) or allOf(…) of at least one',
  );
}

/** Nested policies as any-of over all-ofs, before absorption. Bounded while it grows, not afterwards. */
function expand(policy: unknown, providers: KeyProviders, depth = 0): Alternatives {
  const one = read(policy);
  if ('uri' in one) return [[{ uri: providers.parse(one.uri).uri, by: one.by }]];
  if (depth === 8 || one.members.length > 32) return tooMany();
  const parts = one.members.map((member) => expand(member, providers, depth + 1));
  if (one.any) {
    const alternatives = parts.flat();
    return alternatives.length > 256 ? tooMany() : alternatives;
  }
  return parts.reduce((sofar, part) => {
    if (sofar.length * part.length > 256) return tooMany();
    return sofar.flatMap((left) => part.map((right) => [...left, ...right]));
  });
}

const isSubset = (a: readonly KeyUse[], b: readonly KeyUse[]): boolean =>
  a.every((key) => b.some((other) => other.uri === key.uri));

/**
 * Normalises a policy: any-of over all-ofs, no key twice, supersets absorbed, keys of an alternative in the order of
 * their refs, alternatives in the order of preference. Throws `invalid-argument`, `misconfigured` or
 * `owner-cannot-revoke`.
 */
export function normalisePolicy(
  engine: CryptoEngine,
  policy: KeyPolicy,
  providers: KeyProviders,
  ownerCannotRevoke: boolean,
): Policy {
  const expanded = expand(policy, providers);
  checkWhose(expanded.flat());
  const all = expanded.map((alternative) => uniqueKeys(engine, alternative));
  const alternatives = all.filter(
    (one, i) => !all.some((other, j) => j !== i && isSubset(other, one) && (!isSubset(one, other) || j < i)),
  );
  const { alternatives: most, keysPerAlternative } = bindingLimits;
  if (alternatives.length > most || alternatives.some((one) => one.length > keysPerAlternative)) tooMany();
  const weak = alternatives.find((one) => !one.some((key) => key.by === 'owner'));
  if (weak !== undefined && !ownerCannotRevoke) {
    throw new KeyboundError(
      'owner-cannot-revoke',
      `the owner could not revoke access: ${weak.map((key) => key.uri).join(' and ')} alone would unlock the ` +
        'namespace; add a key of the owner’s to that alternative, or say `ownerCannotRevoke: true`',
    );
  }
  return { alternatives, ownerCannotRevoke };
}

/** A key is either the owner's or the service's, wherever it stands. */
function checkWhose(keys: readonly KeyUse[]): void {
  const whose = new Map<string, KeyUse['by']>();
  for (const { uri, by } of keys) {
    if ((whose.get(uri) ?? by) !== by) {
      throw new KeyboundError(
        'invalid-argument',
        `expected ${uri} to be either the owner's or the service's`,
      );
    }
    whose.set(uri, by);
  }
}

function uniqueKeys(engine: CryptoEngine, alternative: readonly KeyUse[]): KeyUse[] {
  const byUri = new Map(alternative.map((key) => [key.uri, key]));
  return [...byUri.values()].sort((a, b) => compareBytes(keyRef(engine, a.uri), keyRef(engine, b.uri)));
}

/** Alternatives in their byte order, which is how wraps are stored. */
export function inByteOrder(engine: CryptoEngine, alternatives: Alternatives): Alternatives {
  const refs = (alternative: readonly KeyUse[]): Uint8Array =>
    concat(...alternative.map((key) => keyRef(engine, key.uri)));
  return [...alternatives].sort((a, b) => compareBytes(refs(a), refs(b)));
}
