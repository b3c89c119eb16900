import { type CryptoEngine } from '../crypto/engine.js';
import { deriveKey } from '../crypto/kdf.js';
import { concat, lp, u32, utf8 } from '../internal/bytes.js';
import { type NamespaceIdentity } from './identity.js';

/** One purpose, one subkey (design §4). */
export type SubkeyPurpose = 'record' | 'wrap' | 'continuity';

/** X(NK, purpose, registry id ‖ lp(namespace) ‖ instance ‖ lp(region) ‖ u32 generation): 32 bytes. */
export function deriveSubkey(
  engine: CryptoEngine,
  namespaceKey: Uint8Array,
  purpose: SubkeyPurpose,
  namespace: NamespaceIdentity,
  generation: number,
): Uint8Array {
  return deriveKey(
    engine,
    namespaceKey,
    purpose,
    concat(
      namespace.registry,
      lp(utf8(namespace.namespace)),
      namespace.instance,
      lp(utf8(namespace.region)),
      u32(generation),
    ),
  );
}
