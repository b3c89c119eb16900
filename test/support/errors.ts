import { expect } from 'vitest';
import { type ErrorCode, KeyboundError } from '../../src/errors.js';

/** What `work` throws or rejects with; fails if it does neither. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return error;
  }
  return expect.fail(`expected a failure, got ${typeof result}`);
}

/** The `KeyboundError` of that code with which `work` fails. */
export async function refusal(code: ErrorCode, work: () => unknown): Promise<KeyboundError> {
  const error = await failureOf(work);
  if (!(error instanceof KeyboundError)) throw error;
  expect(error.code, error.message).toBe(code);
  return error;
}
