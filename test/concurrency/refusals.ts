import { type ErrorCode } from '../../src/errors.js';

/** What each call may fail with while others administer the same namespace, by the documents; all else is an error. */
export const refusals = {
  create: ['namespace-exists'],
  open: ['namespace-not-found'],
  suspend: ['namespace-changed'],
  resume: ['namespace-changed'],
  rotate: ['namespace-changed', 'namespace-suspended'],
  put: ['namespace-suspended', 'namespace-changed'],
  get: ['namespace-suspended'],
  record: ['namespace-suspended'],
} as const satisfies Record<string, readonly ErrorCode[]>;

export type Call = keyof typeof refusals;
