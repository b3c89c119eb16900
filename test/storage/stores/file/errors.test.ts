import { describe, expect, it } from 'vitest';
import { KeyboundError } from '../../../../src/errors.js';
import { Damaged, storeError } from '../../../../src/storage/stores/file/errors.js';

describe('the errors of a file store', () => {
  it.each([
    ['ENOSPC', 'store-full'],
    ['EDQUOT', 'store-full'],
    ['EACCES', 'store-denied'],
    ['EPERM', 'store-denied'],
    ['EROFS', 'store-denied'],
    ['EMFILE', 'store-unavailable'],
    ['ENFILE', 'store-unavailable'],
    ['EBUSY', 'store-unavailable'],
    ['EAGAIN', 'store-unavailable'],
    ['ENOTDIR', 'store-failed'],
    ['EISDIR', 'store-failed'],
    ['ELOOP', 'store-failed'],
    ['EIO', 'store-failed'],
    ['constructor', 'store-failed'],
  ])('makes %s to %s', (errno, code) => {
    const cause = Object.assign(new Error('in /a/path'), { code: errno });
    const error = storeError(cause, 'do it');
    expect(error).toBeInstanceOf(KeyboundError);
    expect(error).toMatchObject({
      code,
      retryable: code === 'store-unavailable',
      message: `could not do it: ${errno}`,
      details: { errno },
      cause,
    });
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
