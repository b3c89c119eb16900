/*
 * One epoch as stored: a JWS in general JSON serialisation (RFC 7515 §7.2.1), Ed25519 (RFC 9864), with a fixed `typ`,
 * a `kid` and nothing else in its protected headers.                                            SPEC.md §9
 */
import { FlattenedSign, flattenedVerify } from 'jose';
import { KeyboundError } from '../errors.js';
import { base64url, utf8 } from '../internal/bytes.js';
import { parseExactJson, shape } from '../internal/shape.js';

const typ = 'keybound-binding';
const algorithm = 'Ed25519';

export interface Signer {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

export interface EpochSignature {
  readonly kid: string;
  readonly protected: string;
  readonly signature: string;
}

/** A stored epoch taken apart; nothing in it is verified yet. */
export interface SignedEpoch {
  readonly payload: Uint8Array;
  readonly encodedPayload: string;
  readonly signatures: readonly EpochSignature[];
}

const envelopeShape = shape.object({
  payload: shape.string,
  signatures: shape.array(shape.object({ protected: shape.string, signature: shape.string }), 1, 2),
});
const headerShape = shape.object({
  alg: shape.literal(algorithm),
  typ: shape.literal(typ),
  kid: shape.text(/^[0-9a-f]{32}$/, 'a key id of 32 hex digits'),
});

/** Signs a payload with each signer, in order. Deterministic: the same call gives the same bytes. */
export async function signEpoch(payload: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  const signatures = [];
  for (const { kid, privateKey } of signers) {
    const jws = await new FlattenedSign(payload)
      .setProtectedHeader({ alg: algorithm, typ, kid })
      .sign(privateKey);
    signatures.push({ protected: jws.protected, signature: jws.signature });
  }
  return utf8(JSON.stringify({ payload: base64url.encode(payload), signatures }));
}

/** Takes a stored epoch apart, refusing any member, header or spelling that {@link signEpoch} does not write. */
export function readSignedEpoch(bytes: Uint8Array): SignedEpoch {
  const fail = (message: string): never => {
    throw new KeyboundError('binding-invalid', `a binding is malformed: ${message}`);
  };
  const decode = (text: string): Uint8Array => {
    try {
      return base64url.decode(text);
    } catch {
      return fail('expected base64url');
    }
  };
  const { payload, signatures } = envelopeShape(parseExactJson(bytes, fail), 'its JWS', fail);
  return {
    payload: decode(payload),
    encodedPayload: payload,
    signatures: signatures.map((one) => {
      if (decode(one.signature).length !== 64) fail('expected signatures of 64 bytes');
      const header = parseExactJson(decode(one.protected), fail);
      return { ...one, kid: headerShape(header, 'a protected header', fail).kid };
    }),
  };
}

/** Whether one signature, on its own, is that key's over the payload. */
export async function signatureHolds(
  epoch: SignedEpoch,
  signature: EpochSignature,
  key: CryptoKey,
): Promise<boolean> {
  try {
    await flattenedVerify(
      { payload: epoch.encodedPayload, protected: signature.protected, signature: signature.signature },
      key,
      { algorithms: [algorithm] },
    );
    return true;
  } catch {
    // jose throws on a bad signature and on a malformed one; neither holds.
    return false;
  }
}
