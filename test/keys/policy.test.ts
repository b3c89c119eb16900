import { describe, expect, it } from 'vitest';
import { allOf, anyOf, parseKeyPolicy, serviceKey } from '../../src/index.js';

describe('a key policy as text', () => {
  it.each([
    ['local://acme', 'local://acme'],
    [' local://acme ', 'local://acme'],
    ['serviceKey(local://s)', serviceKey('local://s')],
    ['anyOf(local://a)', anyOf('local://a')],
    [
      'anyOf( local://a , allOf(aws-kms://arn:aws:kms:eu-west-1:1:key/x,serviceKey( local://s )) )',
      anyOf('local://a', allOf('aws-kms://arn:aws:kms:eu-west-1:1:key/x', serviceKey('local://s'))),
    ],
  ])('%s', (text, policy) => {
    expect(parseKeyPolicy(text)).toEqual(policy);
  });

  it.each([
    '',
    ' ',
    '(',
    'anyOf()',
    'anyOf(',
    'anyOf(local://a',
    'anyOf(local://a,)',
    'anyOf(local://a local://b)',
    'local://a, local://b',
    'local://a)',
    'serviceKey(anyOf(local://a))',
    'serviceKey(local://a, local://b)',
    'anyOf(local://a))',
    `${'anyOf('.repeat(100)}local://a${')'.repeat(100)}`,
    'x'.repeat(100_000),
  ])('%s is refused', (text) => {
    expect(() => parseKeyPolicy(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => parseKeyPolicy(1 as never)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
