/** What a caller can do about an error, and whether repeating the same call may succeed. */
export interface ErrorInfo {
  readonly meaning: string;
  readonly retryable: boolean;
  readonly advice: string;
}

const info = (retryable: boolean, meaning: string, advice: string): ErrorInfo => ({
  retryable,
  meaning,
  advice,
});

/**
 * Every code a {@link KeyboundError} can carry. `docs/errors.md` is this table.
 */
export const errorCodes = {
  aborted: info(false, 'the caller’s signal aborted the operation', 'nothing; the reason is the cause'),
  'invalid-argument': info(false, 'an argument or option is outside what is documented', 'correct the call'),
  misconfigured: info(
    false,
    'the set-up contradicts itself or lacks a part: a provider, a permission, a folder',
    'correct the configuration named in the message',
  ),
  'region-mismatch': info(
    false,
    'a store, key or endpoint is not in a location that the region allows',
    'use a key and a store of the region, or add the location to the region',
  ),
  'no-signing-key': info(
    false,
    'an administrative verb was called in a process that has no root signing key',
    'run it where `signing` is configured',
  ),
  'namespace-not-found': info(
    false,
    'the region’s store holds no binding for the namespace',
    'create the namespace, or ask the right region',
  ),
  'namespace-exists': info(false, 'the namespace already has a binding', 'open it instead of creating it'),
  'namespace-suspended': info(false, 'the namespace was suspended', 'resume it, if its owner agrees'),
  'namespace-shredded': info(false, 'the namespace’s keys were destroyed for good', 'none: its data is gone'),
  'namespace-moved': info(
    false,
    'the namespace moved to another region',
    'open it in the region that the message names',
  ),
  'namespace-changed': info(
    true,
    'the namespace was changed by someone else, or rotated while a one-shot stream was being written',
    'repeat the call with a fresh source',
  ),
  'binding-invalid': info(
    false,
    'a binding is malformed, badly signed or breaks a rule of the chain',
    'treat as tampering: compare the store with a backup',
  ),
  'root-not-trusted': info(
    false,
    'a binding is signed by no root that this process pins',
    'check the configured roots; otherwise treat as tampering',
  ),
  'binding-fork': info(
    false,
    'two different bindings claim the same epoch',
    'treat as tampering: find out who wrote the other one',
  ),
  'binding-rollback': info(
    false,
    'the store shows an older chain than one already seen',
    'treat as tampering, or restore the missing epochs',
  ),
  'binding-gap': info(false, 'an epoch in the middle of a chain is missing', 'restore the missing epoch'),
  'binding-wrong-registry': info(
    false,
    'the binding belongs to another registry',
    'check the configured registry id; otherwise treat as tampering',
  ),
  'binding-wrong-namespace': info(
    false,
    'the binding belongs to another namespace',
    'treat as tampering: a binding was copied',
  ),
  'binding-wrong-region': info(
    false,
    'the binding belongs to another region',
    'check which store the region names; otherwise treat as tampering',
  ),
  'instance-changed': info(
    false,
    'a namespace of this name was deleted and made again',
    'pass the new `instance` when opening, if that was meant',
  ),
  'wrap-invalid': info(
    false,
    'the stored wraps of a namespace key or signing key are missing, altered or for another policy',
    'restore the wrap object; until then that generation cannot be opened',
  ),
  'owner-cannot-revoke': info(
    false,
    'the key policy has an alternative without any key of the owner’s',
    'add the owner’s key to it, or say `ownerCannotRevoke: true`',
  ),
  'key-revoked': info(false, 'the owner’s key is disabled or pending deletion', 'ask the owner to enable it'),
  'key-destroyed': info(false, 'the owner’s key was destroyed', 'none: what it protected is gone'),
  'key-not-found': info(false, 'the KMS knows no such key', 'check the key URI with its owner'),
  'access-denied': info(
    false,
    'the KMS refuses this service the use of the key',
    'ask the owner to grant it again',
  ),
  'invalid-ciphertext': info(
    false,
    'the KMS says that the wrapped key is not one of its own, or not for this context',
    'treat as tampering',
  ),
  throttled: info(true, 'the KMS limits the rate of calls', 'wait and repeat'),
  unavailable: info(true, 'the KMS did not answer', 'wait and repeat'),
  'keyring-locked': info(false, 'no passphrase was given for the keyring', 'give the passphrase'),
  'keyring-invalid': info(
    false,
    'the keyring cannot be opened: wrong passphrase, or the file was altered',
    'check the passphrase, or restore the file',
  ),
  'integrity-failure': info(
    false,
    'the ciphertext, its identity or its context is not what was encrypted',
    'treat as tampering, or check name and context; the event says which check failed',
  ),
  'not-ciphertext': info(false, 'the bytes were not made by keybound', 'check where they come from'),
  'unsupported-form': info(
    false,
    'the ciphertext is of a form that this version, call or namespace does not accept',
    'upgrade, or use the call for that form',
  ),
  'too-large': info(false, 'the data exceeds a limit of the format', 'split the data'),
  'object-not-found': info(false, 'the namespace holds no object of that name', 'check the name'),
  'object-exists': info(false, 'an object of that name exists already', 'choose another name'),
  'precondition-failed': info(
    false,
    'the object is not at the version the caller named',
    'read it again and decide anew',
  ),
  'object-changed': info(true, 'the object was replaced or deleted while it was being read', 'read it again'),
  'range-not-satisfiable': info(false, 'the range starts past the end of the object', 'ask for less'),
  'stream-consumed': info(false, 'a stream was read a second time', 'get or encrypt it again'),
  'source-failed': info(
    false,
    'the source of the data threw or gave something that is not bytes',
    'see cause',
  ),
  'store-unavailable': info(true, 'the store did not answer or was too busy', 'wait and repeat'),
  'store-denied': info(false, 'the store refuses access', 'check permissions of the store'),
  'store-full': info(false, 'the store has no room left', 'make room'),
  'store-failed': info(false, 'the store reported an error of its own', 'see cause'),
  'store-unsupported': info(
    false,
    'the store lacks a guarantee that bindings need',
    'use a store with conditional writes',
  ),
} as const satisfies Record<string, ErrorInfo>;

/** Stable, machine-readable name of what went wrong. Texts may change between versions, codes do not. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * Safe facts about an error: names, ids, numbers. Never a key, a passphrase, plaintext or raw input.
 */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** Copies of this class (ESM beside CJS, two versions) recognise each other by this brand. */
const brand = Symbol.for('keybound.error');

/**
 * The one error class of this library. Branch on `code`; show `message`.
 *
 * `instanceof` works across copies of the package. `cause` is the error underneath, where there is one.
 */
export class KeyboundError extends Error {
  override readonly name = 'KeyboundError';
  readonly code: ErrorCode;
  /** Whether repeating the same call may succeed with nothing else changed. */
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = errorCodes[code].retryable;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }
}

/**
 * Which check a ciphertext failed. Thrown below the portable types, which report it to the operator's
 * event listener and give the caller an `integrity-failure` that says nothing more (design §5 rule 15).
 */
export class IntegrityFailure extends Error {
  constructor(readonly check: string) {
    super(`integrity check failed: ${check}`);
  }
}
