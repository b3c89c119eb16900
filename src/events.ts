import { type ErrorCode, KeyboundError } from './errors.js';

/** Whose event it is. */
export interface EventSubject {
  readonly namespace: string;
  readonly region: string;
}

/**
 * Everything that happens to keys, as it happens (design §5 rule 16). Names, ids, numbers and codes only: never a
 * key, plaintext, or context. New members and new types may be added in minor versions.
 */
export type KeyboundEvent =
  /** A KMS was asked. `code` is there if it failed. */
  | (EventSubject & {
      readonly type: 'kms';
      readonly operation: 'wrap' | 'unwrap';
      readonly purpose: 'namespace-key' | 'data-key' | 'signing-key';
      readonly uri: string;
      readonly durationMs: number;
      readonly code?: ErrorCode;
    })
  /** A lease began: the binding was read and verified afresh. */
  | (EventSubject & { readonly type: 'lease-started'; readonly epoch: number; readonly leaseMs: number })
  /** A lease ended and its keys were zeroed. */
  | (EventSubject & { readonly type: 'lease-ended'; readonly reason: 'expired' | 'purged' })
  /** An administrative verb added an epoch to a chain. */
  | (EventSubject & {
      readonly type: 'binding-changed';
      readonly verb: 'create' | 'suspend' | 'resume' | 'rotate' | 'sign-again';
      readonly epoch: number;
      readonly trust: string;
    })
  /** A binding was refused. */
  | (EventSubject & { readonly type: 'binding-refused'; readonly code: ErrorCode; readonly reason: string })
  /** A ciphertext was refused; `check` is the reason that its caller is not told. */
  | (EventSubject & {
      readonly type: 'integrity-failure';
      readonly kind: 'record' | 'object' | 'stream';
      readonly name: string;
      readonly check: string;
    });

/**
 * Receives events synchronously, in order. It must be quick; what it returns, throws or rejects with is ignored, so that
 * watching can never change what is watched.
 */
export type EventListener = (event: KeyboundEvent) => unknown;

/** Throws `invalid-argument` for what cannot be told anything: events that vanish would be noticed too late. */
export function checkListener(listener: unknown): void {
  if (listener === undefined || typeof listener === 'function') return;
  throw new KeyboundError('invalid-argument', `expected onEvent to be a function, got ${typeof listener}`);
}

/** Wraps a listener so that nothing it does reaches the caller. */
export function quietly(listener: EventListener | undefined): EventListener {
  if (listener === undefined) return () => undefined;
  return (event) => {
    try {
      const result = listener(event);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // As documented.
    }
  };
}
