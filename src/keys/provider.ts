/*
 * The port behind which every KMS stands. `keybound/testing` holds its conformance suite.
 */

/**
 * What a wrap is bound to: `keybound:registry`, `keybound:namespace`, `keybound:region`, `keybound:purpose` and, for
 * data keys, `keybound:identity` (design §4). At most 8 pairs of at most 256 bytes each. A provider passes it to its
 * KMS as authenticated context; unwrapping under any other context must fail.
 */
export type KmsContext = Readonly<Record<string, string>>;

/** A key URI, understood. */
export interface ParsedKeyUri {
  /** The one spelling of this key; the input is refused unless it is that spelling already. */
  readonly uri: string;
  /** Where the key lives: `local`, `aws:eu-west-1`, `gcp:europe-west1`. */
  readonly location: string;
}

/** State of a key as far as the KMS tells. */
export type KeyState = 'enabled' | 'disabled' | 'pending-deletion' | 'destroyed' | 'unknown';

export interface KeyDescription extends ParsedKeyUri {
  readonly state: KeyState;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * One kind of KMS. Every method may be called concurrently.
 *
 * Errors are `KeyboundError`s whose code says what the KMS said: `key-revoked`, `key-destroyed`, `key-not-found`,
 * `access-denied`, `invalid-ciphertext`, `misconfigured`, `region-mismatch`, or the retryable `throttled` and
 * `unavailable`; `details.reason` says more. An unknown answer is `unavailable` with the reason `unknown`. A provider
 * retries within its own stated time budget, then gives up; it never retries a denial.
 */
export interface KeyProvider {
  /** What its key URIs begin with, without `://`: `local`, `aws-kms`, `gcp-kms`. */
  readonly scheme: string;

  /** Understands a key URI of this scheme. No I/O. Throws `invalid-argument`. */
  parse(uri: string): ParsedKeyUri;

  /**
   * Wraps a 32-byte secret. Neither keeps nor changes `secret`. Returns the KMS's blob (1 to 6,144 bytes), the
   * caller's own.
   */
  wrap(uri: string, secret: Uint8Array, context: KmsContext, options?: CallOptions): Promise<Uint8Array>;

  /** Unwraps a blob to its 32 bytes, which are the caller's to wipe. */
  unwrap(uri: string, blob: Uint8Array, context: KmsContext, options?: CallOptions): Promise<Uint8Array>;

  /** State of the key. A denial here is not the owner's switch: only that of a wrap or unwrap is. */
  describe(uri: string, options?: CallOptions): Promise<KeyDescription>;
}
