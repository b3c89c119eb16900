import { compareBytes, concat, lp, u16, utf8 } from '../internal/bytes.js';

const prefix = utf8('keybound/v1/kms\0');

/**
 * The KMS context as bytes, for KMSs that authenticate bytes rather than pairs:
 * "keybound/v1/kms" ‖ 0x00 ‖ u16 n ‖ n × (lp key ‖ lp value), sorted by key (design §4).
 */
export function encodeKmsContext(context: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(context).map(([key, value]) => [utf8(key), utf8(value)] as const);
  pairs.sort(([a], [b]) => compareBytes(a, b));
  return concat(prefix, u16(pairs.length), ...pairs.flatMap(([key, value]) => [lp(key), lp(value)]));
}
