import { describe, expect, it } from 'vitest';
import { release, unfilled } from '../../src/internal/large-arrays.js';

describe('unfilled', () => {
  it.each([0, 1, 4095, 4096, 300_000])(
    'gives %i bytes in a plain array with a buffer of its own',
    (length) => {
      const array = unfilled(length);
      expect(array.constructor).toBe(Uint8Array);
      expect([array.length, array.byteOffset, array.buffer.byteLength]).toEqual([length, 0, length]);
    },
  );
});

describe('release', () => {
  it('empties a large array, again and again', () => {
    for (let i = 0; i < 3; i++) {
      const array = new Uint8Array(16_384);
      release(array);
      expect(array.length).toBe(0);
    }
  });

  it('leaves views of a part of something alone', () => {
    const whole = new Uint8Array(20_000).fill(7);
    release(whole.subarray(0, 16_384));
    release(whole.subarray(1));
    expect(whole).toEqual(new Uint8Array(20_000).fill(7));
  });

  it('leaves small arrays to the collector', () => {
    const array = new Uint8Array(32);
    release(array);
    expect(array.length).toBe(32);
  });
});
