import { type CryptoEngine } from '../crypto/engine.js';
import { importPublicKey } from '../crypto/ed25519.js';
import { KeyboundError } from '../errors.js';
import { base64url, toHex } from '../internal/bytes.js';
import { shape } from '../internal/shape.js';

/** A root public key that a service pins. */
export interface RootKey {
  /** Ed25519, base64url of 32 bytes. */
  readonly publicKey: string;
  /** `active` roots may sign the newest epoch; `retired` ones only earlier ones. */
  readonly status: 'active' | 'retired';
}

/** `kid` of design §4: hex of SHA-512(public key)[:16]. */
export const keyId = (engine: CryptoEngine, publicKey: Uint8Array): string =>
  toHex(engine.sha512(publicKey).slice(0, 16));

export interface PinnedRoot extends RootKey {
  readonly kid: string;
  readonly key: Promise<CryptoKey>;
}

const rootsShape = shape.array(
  shape.object({ publicKey: shape.string, status: shape.literal('active', 'retired') }),
  1,
  64,
);

/** The pinned roots by key id. Throws `invalid-argument`. */
export function pinRoots(engine: CryptoEngine, roots: unknown): ReadonlyMap<string, PinnedRoot> {
  const fail = (message: string): never => {
    throw new KeyboundError('invalid-argument', message);
  };
  const pinned = rootsShape(roots, 'roots', fail).map((root, i): [string, PinnedRoot] => {
    let publicKey: Uint8Array;
    try {
      publicKey = base64url.decode(root.publicKey);
    } catch {
      publicKey = new Uint8Array(0);
    }
    if (publicKey.length !== 32)
      fail(`expected roots[${String(i)}].publicKey to be the base64url of 32 bytes`);
    const kid = keyId(engine, publicKey);
    const key = importPublicKey(publicKey);
    // Reported when it is used; until then it is nobody's unhandled rejection.
    key.catch(() => undefined);
    return [kid, { ...root, kid, key }];
  });
  if (!pinned.some(([, root]) => root.status === 'active')) fail('expected at least one active root');
  const byKid = new Map(pinned);
  if (byKid.size !== pinned.length) fail('expected each root once');
  return byKid;
}
