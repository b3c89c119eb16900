import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../src/storage/stores/memory.js';
import { objectStoreCases } from '../../../src/testing/object-store.js';

describe('the memory store', () => {
  const store = memoryStore();
  for (const one of objectStoreCases(() => Promise.resolve(store))) it(one.name, () => one.run());

  it('is called memory unless told otherwise', async () => {
    expect(store.location).toBe('memory');
    const other = memoryStore({ location: 'aws:eu-west-1' });
    expect(await other.describe()).toEqual({
      location: 'aws:eu-west-1',
      conditionalCreate: true,
      conditionalReplace: true,
    });
  });

  it('refuses unknown options and locations that are none', () => {
    for (const options of [
      { folder: 'x' },
      { location: '' },
      { location: 'EU west' },
      { location: 1 },
      null,
    ]) {
      // Wrong on purpose: what a caller without types may pass.
      expect(() => memoryStore(options as object)).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    }
  });

  it('hands out pieces of at most 64 KiB', async () => {
    const key = { folder: 'pieces', name: 'object' };
    await store.put(key, new Blob([new Uint8Array(200_000)]).stream());
    const found = await store.get(key, { range: { start: 1, end: 199_999 } });
    const lengths: number[] = [];
    for await (const piece of found?.bytes ?? []) lengths.push(piece.length);
    expect(lengths).toEqual([65_535, 65_536, 65_536, 3391]);
  });

  it('refuses a cursor that is none', async () => {
    for (const cursor of ['', '*', 'YQ==', '_w', 'x']) {
      await expect(store.list('pieces', { cursor })).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  it('refuses a misspelt precondition instead of ignoring it', async () => {
    const key = { folder: 'pieces', name: 'misspelt' };
    const source = new Blob(['x']).stream();
    for (const options of [{ if: 'Absent' }, { if: { etag: 'x' } }, { ifAbsent: true }, { if: null }]) {
      // Wrong on purpose: what a caller without types may pass.
      await expect(store.put(key, source, options as object)).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    }
    expect(await store.head(key)).toBeNull();
  });
});
