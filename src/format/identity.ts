import { type CryptoEngine } from '../crypto/engine.js';
import { KeyboundError } from '../errors.js';
import { shape } from '../internal/shape.js';
import { compareBytes, concat, lp, u16, utf8 } from '../internal/bytes.js';

/** What kind of thing an identity names (design §4). */
export const identityClass = { record: 1, object: 2, namespaceKey: 3, signingKey: 4 } as const;

/** Caller's key-value pairs: authenticated, stored nowhere, needed again to decrypt. */
export type Context = Readonly<Record<string, string>>;

/** A namespace as the format knows it: this instance of it, in this registry and region. */
export interface NamespaceIdentity {
  /** 16 bytes. */
  readonly registry: Uint8Array;
  readonly namespace: string;
  /** 16 bytes, random, made when the namespace was created. */
  readonly instance: Uint8Array;
  readonly region: string;
}

/** Limits of SPEC.md §3. */
export const identityLimits = { nameLength: 512, contextPairs: 32, contextLength: 8192 } as const;

const prefix = utf8('keybound/v1/identity\0');
const contextShape = shape.record(shape.string);

/** Checks and encodes the name of an object or record: 1 to 512 bytes of UTF-8. */
export function nameBytes(name: unknown): Uint8Array {
  const text = shape.string(name, 'a name', (message) => {
    throw new KeyboundError('invalid-argument', message);
  });
  const bytes = utf8(text);
  if (bytes.length < 1 || bytes.length > identityLimits.nameLength) {
    throw new KeyboundError(
      'invalid-argument',
      `expected a name of 1 to ${String(identityLimits.nameLength)} bytes, got ${String(bytes.length)}`,
    );
  }
  return bytes;
}

/** Checks and sorts a context: u16 count, then the pairs by key. */
export function contextBytes(context: Context | undefined): Uint8Array {
  const checked = contextShape(context === undefined ? {} : context, 'context', (message) => {
    throw new KeyboundError('invalid-argument', message);
  });
  const pairs = Object.entries(checked).map(([key, value]) => [utf8(key), utf8(value)] as const);
  const length = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (pairs.length > identityLimits.contextPairs || length > identityLimits.contextLength) {
    throw new KeyboundError(
      'invalid-argument',
      `expected a context of at most ${String(identityLimits.contextPairs)} pairs and ` +
        `${String(identityLimits.contextLength)} bytes, got ${String(pairs.length)} pairs and ${String(length)} bytes`,
    );
  }
  pairs.sort(([a], [b]) => compareBytes(a, b));
  return concat(u16(pairs.length), ...pairs.flatMap(([key, value]) => [lp(key), lp(value)]));
}

/** `A` of design §4: everything a ciphertext is bound to. Never stored. */
export function encodeIdentity(
  of: (typeof identityClass)[keyof typeof identityClass],
  namespace: NamespaceIdentity,
  name: Uint8Array,
  context: Uint8Array = contextBytes(undefined),
): Uint8Array {
  return concat(
    prefix,
    Uint8Array.of(of),
    namespace.registry,
    lp(utf8(namespace.namespace)),
    namespace.instance,
    lp(utf8(namespace.region)),
    lp(name),
    context,
  );
}

/** An identity reduced to what derivations need: SHA-512(A), and `ctx(p)` for each purpose. */
export class IdentityDigest {
  /** SHA-512(A), 64 bytes. */
  readonly digest: Uint8Array;

  constructor(engine: CryptoEngine, identity: Uint8Array) {
    this.digest = engine.sha512(identity);
  }

  /** `ctx(p)` = "keybound/v1/" ‖ p ‖ 0x00 ‖ SHA-512(A). */
  context(
    purpose: 'record' | 'data-key' | 'object' | 'metadata' | 'namespace-key' | 'signing-key',
  ): Uint8Array {
    return concat(utf8(`keybound/v1/${purpose}\0`), this.digest);
  }
}
