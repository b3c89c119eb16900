import assert from 'node:assert/strict';
import { expectError, pagesOf, pattern, type TrialCase } from './trial.js';

const twentyFive = Array.from({ length: 25 }, (_, i) => `name-${String(i).padStart(2, '0')}`);

export const listingCases: readonly TrialCase[] = [
  [
    'lists nothing in a folder that is not there',
    async (trial) => {
      assert.deepEqual(await trial.names(), []);
      assert.deepEqual(await trial.folders(), []);
    },
  ],
  [
    'lists names with their sizes and versions',
    async (trial) => {
      const first = await trial.put(trial.key('first'), pattern(1000));
      const second = await trial.put(trial.key('second'), pattern(0));
      const pages = await pagesOf((options) => trial.store.list(trial.folder, options));
      const entries = pages.flatMap((page) => page.entries);
      assert.deepEqual(
        new Map(entries.map(({ name, ...info }) => [name, info])),
        new Map([
          ['first', first],
          ['second', second],
        ]),
      );
    },
  ],
  [
    'lists page by page, every name once and in the same order',
    async (trial) => {
      await Promise.all(twentyFive.map((name) => trial.put(trial.key(name), name)));
      const pages = await pagesOf((options) => trial.store.list(trial.folder, options), { limit: 10 });
      for (const { entries } of pages) assert.ok(entries.length <= 10, 'expected at most 10 entries');
      const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
      assert.deepEqual([...names].sort(), twentyFive);
      assert.deepEqual(names, await trial.names());
      assert.deepEqual(names, await trial.names({ limit: 1 }));
      assert.deepEqual(names, await trial.names({ limit: 25 }));
    },
  ],
  [
    'goes on listing where it was, whatever came and went',
    async (trial) => {
      await Promise.all(twentyFive.map((name) => trial.put(trial.key(name), name)));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await trial.store.list(trial.folder, {
          limit: 10,
          ...(cursor === undefined ? {} : { cursor }),
        });
        for (const { name } of page.entries) {
          seen.push(name);
          assert.equal(await trial.store.delete(trial.key(name)), true);
        }
        cursor = page.cursor;
      } while (cursor !== undefined);
      assert.deepEqual(seen.sort(), twentyFive);
      assert.deepEqual(await trial.names(), []);
    },
  ],
  [
    'lists the names that begin with a prefix',
    async (trial) => {
      const names = [
        'a',
        'ab',
        'ab/c',
        'abc',
        'Ab',
        'b',
        '%61b',
        '\u00e9a',
        'e\u0301a',
        '\u{1f512}x',
        '\u{1f513}x',
      ];
      await Promise.all(names.map((name) => trial.put(trial.key(name), name)));
      for (const prefix of ['', 'a', 'ab', 'ab/', 'A', 'x', '%', '\u00e9', 'e', '\u{1f512}', 'abcd']) {
        const expected = names.filter((name) => name.startsWith(prefix));
        assert.deepEqual((await trial.names({ prefix })).sort(), expected.sort());
        assert.deepEqual((await trial.names({ prefix, limit: 1 })).sort(), expected.sort());
      }
    },
  ],
  [
    'lists one folder and not those beside or below it',
    async (trial) => {
      await trial.put(trial.key('here'), '');
      await trial.put(trial.key('below', 'deeper'), '');
      await trial.put({ folder: `${trial.folder}-beside`, name: 'beside' }, '');
      assert.deepEqual(await trial.names(), ['here']);
      assert.deepEqual(await trial.folders(), ['deeper']);
    },
  ],
  [
    'lists the folders that hold an object at any depth',
    async (trial) => {
      for (const below of ['a', 'b/c/d', 'b/c/e', 'b/f', 'B/g', 'h/i/j/k']) {
        await trial.put(trial.key('object', below), below);
      }
      await trial.put(trial.key('not-a-folder'), '');
      assert.deepEqual((await trial.folders()).sort(), ['B', 'a', 'b', 'h']);
      const below = await trial.store.folders(`${trial.folder}/b`);
      assert.deepEqual([...below.entries].sort(), ['c', 'f']);
      await trial.store.delete(trial.key('object', 'h/i/j/k'));
      await trial.store.delete(trial.key('object', 'b/c/d'));
      assert.deepEqual((await trial.folders()).sort(), ['B', 'a', 'b']);
    },
  ],
  [
    'lists folders page by page and by prefix',
    async (trial) => {
      await Promise.all(twentyFive.map((segment) => trial.put(trial.key('object', segment), '')));
      const pages = await pagesOf((options) => trial.store.folders(trial.folder, options), { limit: 10 });
      for (const { entries } of pages) assert.ok(entries.length <= 10, 'expected at most 10 entries');
      assert.deepEqual(pages.flatMap(({ entries }) => entries).sort(), twentyFive);
      assert.deepEqual((await trial.folders({ prefix: 'name-2', limit: 2 })).sort(), twentyFive.slice(20));
    },
  ],
  [
    'refuses limits outside 1 to 1,000',
    async (trial) => {
      for (const limit of [0, -1, 1.5, 1001, NaN, Infinity]) {
        await expectError(trial.store.list(trial.folder, { limit }), 'invalid-argument');
        await expectError(trial.store.folders(trial.folder, { limit }), 'invalid-argument');
      }
      assert.deepEqual((await trial.store.list(trial.folder, { limit: 1000 })).entries, []);
    },
  ],
];
