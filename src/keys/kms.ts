/*
 * Secrets under key policies: which KMS to ask, in which order, and what its answers mean together.
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { combineSecrets } from '../crypto/kdf.js';
import { type ErrorCode, errorCodes, IntegrityFailure, KeyboundError } from '../errors.js';
import { type EventListener, type EventSubject } from '../events.js';
import { type KeyUse, type Policy } from '../format/binding-payload.js';
import { openBody, sealBody } from '../format/chunked-body.js';
import { keyLength } from '../format/object-header.js';
import { type KmsWrap, type WrappedAlternative, wrapLimits } from '../format/wrap-object.js';
import { wipe, isBytes } from '../internal/bytes.js';
import { signalOption } from '../internal/options.js';
import { checkSignal } from '../internal/signal.js';
import { inByteOrder, type KeyProviders } from './policy.js';
import { type KmsContext } from './provider.js';

/** What a secret is, for the KMS and for the seal around it. */
export interface SecretUse {
  readonly subject: EventSubject;
  readonly purpose: 'namespace-key' | 'data-key' | 'signing-key';
  /** Goes to the KMS. */
  readonly kmsContext: KmsContext;
  /** Context of the body that seals the secret under what the KMSs unwrap. */
  readonly sealContext: Uint8Array;
  /** KMS locations that the region allows. */
  readonly keyLocations: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** The KMS context of design §4. `registry` is hex. */
export function kmsContext(
  registry: string,
  subject: EventSubject,
  purpose: SecretUse['purpose'],
): KmsContext {
  return {
    'keybound:registry': registry,
    'keybound:namespace': subject.namespace,
    'keybound:region': subject.region,
    'keybound:purpose': purpose,
  };
}

/** An authoritative no: the owner's switch (design §5 rule 12). */
const denials: readonly ErrorCode[] = ['key-revoked', 'key-destroyed', 'key-not-found', 'access-denied'];
/** No answer: the next alternative may be tried. */
const outages: readonly ErrorCode[] = ['unavailable', 'throttled'];

export const isDenial = (error: unknown): boolean =>
  error instanceof KeyboundError && denials.includes(error.code);
const isOutage = (error: KeyboundError): boolean => outages.includes(error.code);

export class Kms {
  readonly #engine: CryptoEngine;
  readonly #providers: KeyProviders;
  readonly #emit: EventListener;
  /** A member's denial lasts until it unwraps again: an outage after a revocation opens no other way in. */
  readonly #denied = new Map<string, KeyboundError>();

  constructor(engine: CryptoEngine, providers: KeyProviders, emit: EventListener) {
    this.#engine = engine;
    this.#providers = providers;
    this.#emit = emit;
  }

  /** Refuses a policy whose keys the region does not allow; no I/O. Throws `region-mismatch`. */
  checkLocations(policy: Policy, use: Pick<SecretUse, 'subject' | 'keyLocations'>): void {
    for (const { uri } of policy.alternatives.flat()) {
      const { location } = this.#providers.parse(uri);
      if (use.keyLocations.includes(location)) continue;
      throw new KeyboundError(
        'region-mismatch',
        `namespace ${use.subject.namespace}: key ${uri} is in ${location}, which region ${use.subject.region} does not ` +
          `allow (it allows ${use.keyLocations.join(', ')})`,
        { details: { ...use.subject, key: uri, location } },
      );
    }
  }

  /** Wraps a 32-byte secret for every alternative, in the byte order of their refs. Does not keep `secret`. */
  async wrap(policy: Policy, secret: Uint8Array, use: SecretUse): Promise<WrappedAlternative[]> {
    this.checkLocations(policy, use);
    const out: WrappedAlternative[] = [];
    for (const keys of inByteOrder(this.#engine, policy.alternatives)) {
      const parts = keys.map(({ uri }) => ({ uri, secret: this.#engine.randomBytes(keyLength) }));
      const secrets = parts.map((part) => part.secret);
      try {
        const wraps = await allOrWorst(parts.map((part) => this.#wrapOne(part.uri, part.secret, use)));
        const combined = combineSecrets(this.#engine, secrets);
        out.push({ wraps, sealed: sealBody(this.#engine, combined, use.sealContext, secret) });
        wipe(combined);
      } finally {
        wipe(...secrets);
      }
    }
    return out;
  }

  /**
   * Unwraps a secret by the first alternative, in the order of preference, that neither denies nor is out of reach.
   * `wrapped` must name exactly the keys of the policy. The secret is the caller's to wipe.
   */
  async unwrap(policy: Policy, wrapped: readonly WrappedAlternative[], use: SecretUse): Promise<Uint8Array> {
    this.checkLocations(policy, use);
    const pairs = this.#match(policy, wrapped, use);
    let outage: KeyboundError | undefined;
    for (const { keys, alternative } of pairs) {
      try {
        return await this.#open(keys, alternative, use);
      } catch (error) {
        // Only a known outage moves on: an answer nobody understands may be a no.
        if (!(error instanceof KeyboundError) || !isOutage(error) || error.details['reason'] === 'unknown') {
          throw error;
        }
        outage ??= error;
      }
    }
    throw outage ?? new Error('a policy has at least one alternative');
  }

  /** Unwraps by every alternative and compares: what was just wrapped can be opened, each way. */
  async verify(
    policy: Policy,
    wrapped: readonly WrappedAlternative[],
    secret: Uint8Array,
    use: SecretUse,
  ): Promise<void> {
    for (const { keys, alternative } of this.#match(policy, wrapped, use)) {
      const opened = await this.#open(keys, alternative, use);
      const same = this.#engine.equal(opened, secret);
      wipe(opened);
      if (!same) throw this.#wrapInvalid(use, 'a key just wrapped came back as another');
    }
  }

  #match(
    policy: Policy,
    wrapped: readonly WrappedAlternative[],
    use: SecretUse,
  ): { keys: readonly KeyUse[]; alternative: WrappedAlternative }[] {
    const pairs = policy.alternatives.flatMap((keys) => {
      const alternative = wrapped.find(
        ({ wraps }) => wraps.length === keys.length && keys.every(({ uri }, i) => uri === wraps[i]?.uri),
      );
      return alternative === undefined ? [] : [{ keys, alternative }];
    });
    if (pairs.length !== policy.alternatives.length || pairs.length !== wrapped.length) {
      throw this.#wrapInvalid(use, 'the stored wraps are not those of its key policy');
    }
    return pairs;
  }

  async #wrapOne(uri: string, secret: Uint8Array, use: SecretUse): Promise<KmsWrap> {
    const blob = await this.#call('wrap', uri, use, (provider, options) =>
      provider.wrap(uri, secret, use.kmsContext, options),
    );
    if (blob.length >= 1 && blob.length <= wrapLimits.blobLength) return { uri, blob };
    throw new KeyboundError(
      'misconfigured',
      `namespace ${use.subject.namespace}: expected a wrapped key of 1 to ${String(wrapLimits.blobLength)} bytes ` +
        `from ${uri}, got ${String(blob.length)}`,
      { details: { ...use.subject, key: uri } },
    );
  }

  async #open(keys: readonly KeyUse[], alternative: WrappedAlternative, use: SecretUse): Promise<Uint8Array> {
    const secrets = await allOrWorst(
      keys.map(({ uri }, i) => this.#unwrapOne(uri, alternative.wraps[i]?.blob ?? new Uint8Array(0), use)),
    );
    const combined = combineSecrets(this.#engine, secrets);
    try {
      const secret = openBody(this.#engine, combined, use.sealContext, alternative.sealed);
      if (secret.length !== keyLength) throw new IntegrityFailure('length of a key');
      return secret;
    } catch (error) {
      if (error instanceof IntegrityFailure)
        throw this.#wrapInvalid(use, `its seal does not open (${error.check})`);
      throw error;
    } finally {
      wipe(combined, ...secrets);
    }
  }

  async #unwrapOne(uri: string, blob: Uint8Array, use: SecretUse): Promise<Uint8Array> {
    const member = JSON.stringify([uri, Object.entries(use.kmsContext).sort()]);
    const before = this.#denied.get(member);
    try {
      const secret = await this.#call('unwrap', uri, use, (provider, options) =>
        provider.unwrap(uri, blob, use.kmsContext, options),
      );
      if (secret.length !== keyLength) {
        wipe(secret);
        throw this.#wrapInvalid(use, `${uri} unwrapped to ${String(secret.length)} bytes instead of 32`);
      }
      // A denial that came while this call was under way is newer than its answer.
      if (this.#denied.get(member) === before) this.#denied.delete(member);
      return secret;
    } catch (error) {
      if (!(error instanceof KeyboundError)) throw error;
      if (isDenial(error)) this.#denied.set(member, error);
      throw isOutage(error) ? (this.#denied.get(member) ?? error) : error;
    }
  }

  async #call(
    operation: 'wrap' | 'unwrap',
    uri: string,
    use: SecretUse,
    ask: (provider: ReturnType<KeyProviders['of']>, options: { signal?: AbortSignal }) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    checkSignal(use.signal);
    const started = performance.now();
    const report = (code?: ErrorCode): void => {
      this.#emit({
        type: 'kms',
        operation,
        purpose: use.purpose,
        uri,
        ...use.subject,
        durationMs: performance.now() - started,
        ...(code === undefined ? {} : { code }),
      });
    };
    try {
      const result: unknown = await ask(this.#providers.of(uri), signalOption(use.signal));
      if (!isBytes(result)) throw new TypeError(`expected bytes from the provider of ${uri}`);
      report();
      return result;
    } catch (error) {
      const wrapped = wrapOnce(error, uri, use.subject);
      report(wrapped.code);
      throw wrapped;
    }
  }

  #wrapInvalid(use: SecretUse, what: string): KeyboundError {
    return new KeyboundError(
      'wrap-invalid',
      `namespace ${use.subject.namespace}: ${what}; restore its wrap object, or treat as tampering`,
      { details: { ...use.subject } },
    );
  }
}

/** The provider's error with the namespace added; an error of no known kind fails closed as `unavailable`. */
function wrapOnce(error: unknown, uri: string, subject: EventSubject): KeyboundError {
  // Another version of this library may have codes that this one has not.
  const known = error instanceof KeyboundError && Object.hasOwn(errorCodes, error.code);
  return new KeyboundError(
    known ? error.code : 'unavailable',
    `namespace ${subject.namespace}: ${known ? error.message : `the provider of ${uri} failed in a way it does not document`}`,
    {
      details: { ...(known ? error.details : { reason: 'unknown' }), ...subject, key: uri },
      cause: known ? (error.cause ?? error) : error,
    },
  );
}

/**
 * All results, or the error that decides: a denial before anything else, an outage only if there is nothing else. Waits
 * for all, so that no secret arrives after the decision; those that did arrive are wiped.
 */
async function allOrWorst<T extends Uint8Array | KmsWrap>(calls: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(calls);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const results = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (errors.length === 0) return results;
  for (const result of results) if (isBytes(result)) wipe(result);
  const soft = (error: unknown): boolean => error instanceof KeyboundError && isOutage(error);
  throw errors.find(isDenial) ?? errors.find((error) => !soft(error)) ?? errors[0];
}
