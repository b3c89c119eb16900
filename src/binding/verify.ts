/*
 * Verifying one epoch: size and shape came before; here the root's signature, the continuity signature, whose binding it
 * is, its place in the chain (design §4, in that order).
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { importPublicKey } from '../crypto/ed25519.js';
import { type ErrorCode, KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { activeGeneration, type BindingPayload, parseBindingPayload } from '../format/binding-payload.js';
import { base64url, toHex } from '../internal/bytes.js';
import { signatureHolds, type SignedEpoch } from './jws.js';
import { keyId, type PinnedRoot } from './roots.js';
import { needsContinuity } from './rules.js';

/** A verified epoch. */
export interface Link {
  readonly payload: BindingPayload;
  /** SHA-512 of the payload, base64url. */
  readonly hash: string;
  readonly root: PinnedRoot;
}

export class EpochVerifier {
  readonly #engine: CryptoEngine;
  readonly #registry: string;
  readonly #roots: ReadonlyMap<string, PinnedRoot>;

  /** `registry` is hex. */
  constructor(engine: CryptoEngine, registry: string, roots: ReadonlyMap<string, PinnedRoot>) {
    this.#engine = engine;
    this.#registry = registry;
    this.#roots = roots;
  }

  /** The epoch after `previous`, with every signature that the step takes. */
  async verifyNext(subject: EventSubject, previous: Link, epoch: SignedEpoch): Promise<Link> {
    const expected = previous.payload.epoch + 1;
    const link = await this.verifyRoot(subject, epoch, expected);
    if (link.payload.previous !== previous.hash) {
      throw refuse(
        subject,
        'binding-fork',
        `epoch ${String(expected)} does not follow this epoch ${String(previous.payload.epoch)} but another one`,
      );
    }
    if (needsContinuity(previous.payload, link.payload)) {
      await this.verifyContinuity(subject, previous.payload, epoch, expected, link.root);
    } else if (epoch.signatures.length !== 1) {
      throw this.badSignature(subject, expected);
    }
    return link;
  }

  /** Exactly one root signed this; it is this registry's, namespace's and region's; it is epoch `expected`. */
  async verifyRoot(subject: EventSubject, epoch: SignedEpoch, expected: number): Promise<Link> {
    const payload = parseBindingPayload(epoch.payload);
    const byRoots = epoch.signatures.flatMap((signature) => {
      const root = this.#roots.get(signature.kid);
      return root === undefined ? [] : [{ signature, root }];
    });
    const [signed, second] = byRoots;
    if (signed === undefined) {
      // Not verified, but refused either way: naming a mix-up helps more than naming a stranger's key.
      this.#checkWhose(subject, payload);
      throw refuse(subject, 'root-not-trusted', `epoch ${String(expected)} is signed by no pinned root`);
    }
    if (second !== undefined || !(await signatureHolds(epoch, signed.signature, await signed.root.key))) {
      throw this.badSignature(subject, expected);
    }
    this.#checkWhose(subject, payload);
    if (payload.epoch !== expected) {
      const older = payload.epoch < expected;
      throw refuse(
        subject,
        older ? 'binding-rollback' : 'binding-gap',
        `epoch ${String(payload.epoch)} lies in the place of epoch ${String(expected)}`,
      );
    }
    return { payload, hash: base64url.encode(this.#engine.sha512(epoch.payload)), root: signed.root };
  }

  /** Exactly one signature beside the root's, by the active generation of `signer`. */
  async verifyContinuity(
    subject: EventSubject,
    signer: BindingPayload,
    epoch: SignedEpoch,
    number: number,
    root: PinnedRoot,
  ): Promise<void> {
    const publicKey = base64url.decode(activeGeneration(signer)?.continuity ?? '');
    const kid = keyId(this.#engine, publicKey);
    const [signature, ...more] = epoch.signatures.filter((one) => one.kid !== root.kid);
    if (signature === undefined || more.length > 0 || signature.kid !== kid) {
      throw refuse(
        subject,
        'binding-invalid',
        `epoch ${String(number)} lacks the signature of the generation that was active before it`,
      );
    }
    // A listed key that is no point of the curve verifies nothing.
    const key = await importPublicKey(publicKey).catch(() => null);
    if (key === null || !(await signatureHolds(epoch, signature, key))) {
      throw this.badSignature(subject, number);
    }
  }

  #checkWhose(subject: EventSubject, payload: BindingPayload): void {
    const checks: readonly [ErrorCode, string, string][] = [
      ['binding-wrong-registry', toHex(base64url.decode(payload.registry)), this.#registry],
      ['binding-wrong-namespace', payload.namespace, subject.namespace],
      ['binding-wrong-region', payload.region, subject.region],
    ];
    for (const [code, got, expected] of checks) {
      if (got !== expected) throw refuse(subject, code, `expected one of ${expected}, got one of ${got}`);
    }
  }

  /** For callers that find a signature too many. */
  badSignature(subject: EventSubject, epoch: number): KeyboundError {
    return refuse(subject, 'binding-invalid', `the signatures of epoch ${String(epoch)} do not hold`);
  }
}

/** A refusal that says whose binding, where, and why. */
export function refuse(subject: EventSubject, code: ErrorCode, what: string): KeyboundError {
  return new KeyboundError(
    code,
    `namespace ${subject.namespace}: its binding in region ${subject.region} is refused: ${what}`,
    { details: { ...subject } },
  );
}
