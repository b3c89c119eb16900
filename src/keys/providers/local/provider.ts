/*
 * blob = CB(local key, KMS context as bytes, secret)                                  design §4 "KMS context"
 */
import { engine } from '#engine';
import { IntegrityFailure, KeyboundError } from '../../../errors.js';
import { bodyLength, openBody, sealBody } from '../../../format/chunked-body.js';
import { encodeKmsContext } from '../../../format/kms-context.js';
import { utf8, wipe, isBytes } from '../../../internal/bytes.js';
import { checkOptions } from '../../../internal/options.js';
import { shape } from '../../../internal/shape.js';
import { type KeyProvider, type KmsContext } from '../../provider.js';
import { destroyedKey, disabledKey, unknownKey } from './key-errors.js';
import { type FindKey, type KeySource, type LocalKey } from './key-source.js';
import { nameOf, parseLocalUri, scheme, uriOf } from './uri.js';

const secretLength = 32;
const blobLength = bodyLength(secretLength);
/** The port's limits on a {@link KmsContext}. */
const contextLimits = { pairs: 8, length: 256 } as const;

const contextShape = shape.record(shape.string);

const refuse = (message: string): never => {
  throw new KeyboundError('invalid-argument', message);
};

function contextBytes(context: KmsContext): Uint8Array {
  const pairs = contextShape(context, 'the KMS context', refuse);
  const entries = Object.entries(pairs);
  if (entries.length > contextLimits.pairs) {
    return refuse(
      `expected at most ${String(contextLimits.pairs)} pairs of KMS context, got ${String(entries.length)}`,
    );
  }
  const longest = Math.max(0, ...entries.flat().map((text) => utf8(text).length));
  return longest <= contextLimits.length
    ? encodeKmsContext(pairs)
    : refuse(
        `expected KMS context of at most ${String(contextLimits.length)} bytes a part, got ${String(longest)}`,
      );
}

/**
 * A copy, since a caller may change or wipe its own bytes while a keyring is being read; null if `bytes` is not of
 * that length.
 */
function copyOf(bytes: unknown, what: string, length: number): Uint8Array | null {
  if (!isBytes(bytes)) return refuse(`expected ${what} as a Uint8Array, got ${typeof bytes}`);
  // Not slice(): a Buffer's is a view.
  return bytes.length === length ? new Uint8Array(bytes) : null;
}

function found(source: KeySource, find: FindKey, name: string): LocalKey {
  const key = find(name);
  if (key === undefined) throw unknownKey(name, source.whenUnknown);
  return key;
}

function usable(source: KeySource, find: FindKey, name: string): Uint8Array {
  const key = found(source, find, name);
  if (key.state === 'disabled') throw disabledKey(name);
  if (key.state === 'destroyed') throw destroyedKey(name);
  return key.key;
}

function notItsOwn(name: string): KeyboundError {
  const uri = uriOf(name);
  return new KeyboundError(
    'invalid-ciphertext',
    `the wrapped key was not made by ${uri}, or not for this context: check which key wrapped it, otherwise ` +
      'treat as tampering',
    { details: { key: uri } },
  );
}

function open(key: Uint8Array, context: Uint8Array, blob: Uint8Array, name: string): Uint8Array {
  try {
    return openBody(engine, key, context, blob);
  } catch (error) {
    if (error instanceof IntegrityFailure) throw notItsOwn(name);
    throw error;
  }
}

/** The provider of `local://` keys over a source of such keys. */
export function providerOf(source: KeySource): KeyProvider {
  return {
    scheme,
    parse: parseLocalUri,

    async wrap(uri, secret, context, options = {}) {
      checkOptions(options, 'a call of the provider', ['signal']);
      const name = nameOf(uri);
      const bound = contextBytes(context);
      const own =
        copyOf(secret, 'the secret', secretLength) ??
        refuse(`expected a secret of ${String(secretLength)} bytes, got ${String(secret.length)}`);
      try {
        return await source.read(options.signal, (find) =>
          sealBody(engine, usable(source, find, name), bound, own),
        );
      } finally {
        wipe(own);
      }
    },

    async unwrap(uri, blob, context, options = {}) {
      checkOptions(options, 'a call of the provider', ['signal']);
      const name = nameOf(uri);
      const bound = contextBytes(context);
      const own = copyOf(blob, 'the blob', blobLength);
      return source.read(options.signal, (find) => {
        const key = usable(source, find, name);
        if (own === null) throw notItsOwn(name);
        return open(key, bound, own, name);
      });
    },

    async describe(uri, options = {}) {
      checkOptions(options, 'a call of the provider', ['signal']);
      const name = nameOf(uri);
      return source.read(options.signal, (find) => ({
        ...parseLocalUri(uri),
        state: found(source, find, name).state,
      }));
    },
  };
}
