import { KeyboundError } from '../errors.js';
import { base64url, fromHex, toHex } from '../internal/bytes.js';

/**
 * The newest epoch that someone has seen and believes: high-water mark and `trust` alike. What is older, or other at
 * the same epoch, is refused.
 */
export interface Trust {
  /** 16 bytes, base64url. */
  readonly instance: string;
  readonly epoch: number;
  /** SHA-512 of the payload, base64url. */
  readonly payload: string;
}

/** `<instance, hex>.<epoch>.<payload hash, base64url>`: one word, to be copied from a terminal. */
export function formatTrust(trust: Trust): string {
  return `${toHex(base64url.decode(trust.instance))}.${String(trust.epoch)}.${trust.payload}`;
}

/** Throws `invalid-argument`. */
export function parseTrust(text: unknown): Trust {
  const match = typeof text === 'string' ? /^([0-9a-f]{32})\.([1-9]\d{0,9})\.([\w-]{86})$/.exec(text) : null;
  const [, instance, epoch, payload] = match ?? [];
  const known = instance !== undefined && epoch !== undefined && payload !== undefined;
  if (known && Number(epoch) <= 0xffff_ffff && isHash(payload)) {
    return { instance: base64url.encode(fromHex(instance)), epoch: Number(epoch), payload };
  }
  throw new KeyboundError(
    'invalid-argument',
    'expected trust as an administrative verb printed it: <instance>.<epoch>.<hash>',
  );
}

function isHash(text: string): boolean {
  try {
    return base64url.decode(text).length === 64;
  } catch {
    return false;
  }
}

/**
 * Remembers the newest trusted epoch of each namespace beyond the life of a process, so that a store cannot show an
 * older one to the next. Called concurrently; both methods may reject, which fails the operation.
 */
export interface TrustMarks {
  /** `key` is opaque: the registry, region and namespace. */
  get(key: string): Promise<string | undefined>;
  /**
   * `trust` is newer than what {@link get} gave, or of an instance the caller named. Where several processes share the
   * marks, a higher epoch of the same instance must not be replaced.
   */
  set(key: string, trust: string): Promise<void>;
}
