import { describe, expect, it } from 'vitest';
import { pageOf } from '../../src/storage/paging.js';

const names = ['b', 'a', '\u{10000}', '\uffff', 'ab', 'é', 'z'];
const sorted = ['a', 'ab', 'b', 'z', 'é', '\uffff', '\u{10000}'];

describe('a page of names', () => {
  it('is in the order of UTF-8, not of UTF-16', () => {
    expect(pageOf(names, {})).toEqual({ entries: sorted });
  });

  it('has a cursor only if more follows', () => {
    const first = pageOf(names, { limit: 4 });
    expect(first.entries).toEqual(sorted.slice(0, 4));
    const cursor = first.cursor ?? '';
    expect(pageOf(names, { limit: 3, cursor })).toEqual({ entries: sorted.slice(4) });
    expect(pageOf(names, { limit: 7 })).toEqual({ entries: sorted });
  });

  it('goes on after a name that is gone', () => {
    const cursor = pageOf(names, { limit: 2 }).cursor ?? '';
    const rest = names.filter((name) => name !== 'ab');
    expect(pageOf(rest, { cursor })).toEqual({ entries: sorted.slice(2) });
  });

  it.each(['', '*', 'YQ==', 'YR', '_w', 'x'])('refuses the cursor %j', (cursor) => {
    expect(() => pageOf(names, { cursor })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
