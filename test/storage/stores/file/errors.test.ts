import { describe, expect, it } from 'vitest';
import { KeyboundError } from '../../../../src/errors.js';
import { Damaged, storeError } from '../../../../src/storage/stores/file/errors.js';

describe('the errors of a file store', () => {
  it.each([
    ['ENOSPC', 'store-full', 'make room'],
    ['EDQUOT', 'store-full', 'quota'],
    ['EACCES', 'store-denied', 'let this process'],
    ['EPERM', 'store-denied', 'let this process'],
    ['EROFS', 'store-denied', 'mount its disk for writing'],
    ['EMFILE', 'store-unavailable', 'wait and repeat'],
    ['ENFILE', 'store-unavailable', 'wait and repeat'],
    ['EBUSY', 'store-unavailable', 'wait and repeat'],
    ['EAGAIN', 'store-unavailable', 'wait and repeat'],
    ['ENOTDIR', 'store-failed', 'something else lies in its place'],
    ['EISDIR', 'store-failed', 'something else lies in its place'],
    ['ELOOP', 'store-failed', 'something else lies in its place'],
    ['EIO', 'store-failed', 'its disk is failing'],
    ['constructor', 'store-failed', 'see cause'],
  ])('makes %s to %s, and says what to do', (errno, code, advice) => {
    const cause = Object.assign(new Error('in /a/path'), { code: errno });
    const error = storeError(cause, 'do it');
    expect(error).toBeInstanceOf(KeyboundError);
    expect(error).toMatchObject({
      code,
      retryable: code === 'store-unavailable',
      details: { errno },
      cause,
    });
    expect(error.message).toMatch(`could not do it: ${errno}; `);
    expect(error.message).toContain(advice);
  });

  it('says how a file is damaged', () => {
    expect(storeError(new Damaged('it is short'), 'do it')).toMatchObject({
      code: 'store-failed',
      message: 'could not do it: it is short',
      details: {},
    });
  });

  it('does not repeat what an unknown error says', () => {
    for (const cause of [new Error('a secret'), 'a secret', null]) {
      const error = storeError(cause, 'do it');
      expect(error.code).toBe('store-failed');
      expect(error.message).not.toContain('secret');
    }
  });

  it('leaves an error of this library alone', () => {
    const error = new KeyboundError('aborted', 'stopped');
    expect(storeError(error, 'do it')).toBe(error);
  });
});
