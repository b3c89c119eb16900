import { base64nopad } from '@scure/base';
import { KeyboundError } from '../../../errors.js';
import { base64url, fromHex, isBytes } from '../../../internal/bytes.js';
import { checkSignal } from '../../../internal/signal.js';
import { type KeyProvider } from '../../provider.js';
import { type LocalKey } from './key-source.js';
import { providerOf } from './provider.js';
import { checkName, uriOf } from './uri.js';

/** 32 bytes, or the same as text: base64 or base64url (43 characters, padded or not), or 64 hexadecimal digits. */
export type LocalKeyMaterial = Uint8Array | string;

const keyLength = 32;

/** Told apart by length: no text is in two of them, except that base64 without `+/-_` means the same in both. */
const encodings: readonly (readonly [pattern: RegExp, decode: (text: string) => Uint8Array])[] = [
  [/^[0-9A-Fa-f]{64}$/, (text) => fromHex(text.toLowerCase())],
  [/^[A-Za-z0-9+/]{43}=?$/, (text) => base64nopad.decode(text.slice(0, 43))],
  [/^[A-Za-z0-9_-]{43}=?$/, (text) => base64url.decode(text.slice(0, 43))],
];

function decodeText(text: string): Uint8Array | null {
  const decode = encodings.find(([pattern]) => pattern.test(text))?.[1];
  try {
    return decode?.(text) ?? null;
  } catch {
    // Bits left over in the last character: not the encoding of 32 bytes.
    return null;
  }
}

function material(name: string, value: unknown): Uint8Array {
  if (value === undefined || value === '') {
    throw new KeyboundError(
      'keyring-locked',
      `no key was given for ${uriOf(name)}: its value is ${value === '' ? 'empty' : 'undefined'}; set what it is ` +
        'taken from, such as an environment variable, to 32 random bytes in base64 (openssl rand -base64 32)',
      { details: { key: uriOf(name) } },
    );
  }
  const bytes = typeof value === 'string' ? decodeText(value) : value;
  if (isBytes(bytes) && bytes.length === keyLength) return new Uint8Array(bytes);
  const got =
    typeof value === 'string'
      ? `text of ${String(value.length)} characters that is none of these`
      : isBytes(value)
        ? `${String(value.length)} bytes`
        : typeof value;
  throw new KeyboundError(
    'invalid-argument',
    `expected the key for ${uriOf(name)} to be 32 bytes, or these in base64, base64url or hex, got ${got}`,
    { details: { key: uriOf(name) } },
  );
}

/**
 * A provider of `local://` keys that the service holds itself, by name, for instance from its environment:
 * `localKeys({ app: process.env.APP_KEY })` serves `local://app`. For development, tests, and services that keep
 * their own keys; such a key has no owner but the service and is always enabled. For keys that can be disabled and
 * destroyed see {@link localKeyring}.
 *
 * Keys are copied, and stay in memory as long as the provider. Throws `keyring-locked` if a value is undefined or
 * empty, and `invalid-argument` if a name or a value is not what it should be.
 */
export function localKeys(keys: Readonly<Record<string, LocalKeyMaterial | undefined>>): KeyProvider {
  // The type promises an object; callers of plain JavaScript do not.
  const given: unknown = keys;
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  if (entries.length === 0) {
    throw new KeyboundError('invalid-argument', 'expected keys by name, such as { app: bytes }, got none');
  }
  const byName = new Map<string, LocalKey>(
    entries.map(([name, value]) => [checkName(name), { state: 'enabled', key: material(name, value) }]),
  );
  return providerOf({
    whenUnknown: 'among those given to localKeys: add it there, or correct the key URI',
    // Async, so that what is thrown rejects.
    // eslint-disable-next-line @typescript-eslint/require-await
    async read(signal, use) {
      checkSignal(signal);
      return use((name) => byName.get(name));
    },
  });
}
