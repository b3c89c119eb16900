import assert from 'node:assert/strict';
import { compareBytes } from '../../internal/bytes.js';
import { type ObjectKey } from '../../storage/store.js';
import { bytesOf, EndlessSource, expectError, type TrialCase } from './trial.js';

/** In UTF-8: 512 bytes. */
const emoji = '\u{1F512}'.repeat(128);

/** Each is another name than every other one. */
const hostileNames: readonly string[] = [
  ...[
    '.',
    '..',
    '...',
    '../escape',
    '/',
    '//',
    'a',
    'a/b',
    'a/',
    '/a',
    './a',
    'a/./b',
    'a/../b',
    'a\\b',
    '..\\a',
  ],
  ...[
    'trailing.',
    'trailing',
    'trailing ',
    ' leading',
    ' ',
    '\t',
    '\0',
    'a\0b',
    'line\nbreak',
    '\r',
    '\u007f',
  ],
  ...[
    'CON',
    'con',
    'nul.txt',
    'COM1',
    'aux',
    'a:b',
    'a*b',
    'a?b',
    '<>|"',
    '~',
    '~a',
    '@',
    'x',
    'x@',
    'x@lock',
  ],
  ...[
    'x@name',
    '@name',
    '@lock',
    '@tmp',
    '%',
    '%41',
    'A',
    'a%2fb',
    '%2e',
    '%00',
    '-rf',
    '--',
    '.hidden',
    '$HOME',
  ],
  ...[
    '`id`',
    '#',
    '?versionId=1',
    'a+b',
    'a b',
    'a%20b',
    '<key>&amp;',
    'Case',
    'case',
    'CASE',
    'ß',
    'SS',
    'ss',
  ],
  ...[
    '\u00e9',
    'e\u0301',
    '\uac00',
    '\u1100\u1161',
    '\ufeffbom',
    '\u202egnp',
    '\u2028',
    '\u{10ffff}',
    '\uffff',
  ],
  ...['i', 'I', '\u0130', '\u0131', '__proto__', 'constructor', emoji, emoji.slice(2), 'A'.repeat(512)],
  ...['a'.repeat(512), 'a'.repeat(511), 'A'.repeat(511), '/'.repeat(512), '.'.repeat(200), '%'.repeat(67)],
  ...[
    'A'.repeat(66),
    'A'.repeat(67),
    'a'.repeat(200),
    'a'.repeat(201),
    `~${'0'.repeat(64)}`,
    '\0'.repeat(512),
  ],
];

const ordered = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => compareBytes(bytesOf(a), bytesOf(b)));

const malformed = (key: unknown): ObjectKey =>
  // Wrong on purpose: what a caller without types may pass.
  key as ObjectKey;

const badFolders: readonly unknown[] = [
  ...[
    '',
    '/',
    '.',
    '..',
    'a/..',
    './a',
    'a//b',
    '/a',
    'a/',
    'a b',
    'a\\b',
    'é',
    'a\n',
    'a\0',
    'a%2fb',
    '~',
    'a@b',
  ],
  ...['x'.repeat(129), `${'x'.repeat(100)}/`.repeat(4) + 'x', undefined, null, 1],
];

const badNames: readonly unknown[] = [
  '',
  'a'.repeat(513),
  `${emoji}a`,
  '\ud800',
  'a\udc00b',
  undefined,
  null,
  1,
];

export const nameCases: readonly TrialCase[] = [
  [
    'keeps hostile names apart and lists them exactly',
    async (trial) => {
      assert.equal(new Set(hostileNames).size, hostileNames.length);
      await Promise.all(hostileNames.map((name) => trial.put(trial.key(name), name, { if: 'absent' })));
      for (const name of hostileNames) await trial.expectContent(trial.key(name), name);
      // Sorted here, since the order of a listing is the store's own.
      assert.deepEqual(ordered(await trial.names()), ordered(hostileNames));
      assert.deepEqual(await trial.folders(), []);
    },
  ],
  [
    'replaces and deletes one hostile name and no other',
    async (trial) => {
      await Promise.all(hostileNames.map((name) => trial.put(trial.key(name), name)));
      const renew = async (name: string): Promise<void> => {
        const { version } = await trial.put(trial.key(name), `new ${name}`);
        assert.equal(await trial.store.delete(trial.key(name), { if: { version } }), true);
        assert.equal(await trial.store.head(trial.key(name)), null);
        await trial.put(trial.key(name), name, { if: 'absent' });
      };
      await Promise.all(hostileNames.map(renew));
      for (const name of hostileNames) await trial.expectContent(trial.key(name), name);
      const deleted = await Promise.all(hostileNames.map((name) => trial.store.delete(trial.key(name))));
      assert.ok(deleted.every(Boolean));
      assert.deepEqual(await trial.names(), []);
    },
  ],
  [
    'keeps folders apart from names that look like paths',
    async (trial) => {
      await trial.put(trial.key('b'), 'in the folder');
      await trial.put(trial.key('b', 'a'), 'below');
      await trial.put(trial.key('a/b'), 'looks like below');
      await trial.expectContent(trial.key('b'), 'in the folder');
      await trial.expectContent(trial.key('b', 'a'), 'below');
      await trial.expectContent(trial.key('a/b'), 'looks like below');
      assert.deepEqual(ordered(await trial.names()), ['a/b', 'b']);
      assert.deepEqual(await trial.folders(), ['a']);
    },
  ],
  [
    'keeps folders apart that differ in case, dots or length',
    async (trial) => {
      const segments = [
        'a',
        'A',
        'a.',
        '.a',
        '...',
        '-',
        '_',
        'x'.repeat(128),
        'X'.repeat(128),
        'X'.repeat(127),
      ];
      await Promise.all(segments.map((segment) => trial.put(trial.key('object', segment), segment)));
      for (const segment of segments) await trial.expectContent(trial.key('object', segment), segment);
      assert.deepEqual(ordered(await trial.folders()), ordered(segments));
    },
  ],
  [
    'refuses folders that are none, before any other step',
    async (trial) => {
      const { store } = trial;
      for (const folder of badFolders) {
        const key = malformed({ folder, name: 'object' });
        const source = new EndlessSource();
        await expectError(store.get(key), 'invalid-argument');
        await expectError(store.head(key), 'invalid-argument');
        await expectError(store.put(key, source), 'invalid-argument');
        await expectError(store.delete(key), 'invalid-argument');
        await expectError(store.list(key.folder), 'invalid-argument');
        await expectError(store.folders(key.folder), 'invalid-argument');
        assert.equal(source.pulls, 0);
      }
    },
  ],
  [
    'refuses names that are none, before any other step',
    async (trial) => {
      const { store } = trial;
      for (const name of badNames) {
        const key = malformed({ folder: trial.folder, name });
        const source = new EndlessSource();
        await expectError(store.get(key), 'invalid-argument');
        await expectError(store.head(key), 'invalid-argument');
        await expectError(store.put(key, source), 'invalid-argument');
        await expectError(store.delete(key), 'invalid-argument');
        assert.equal(source.pulls, 0);
      }
    },
  ],
];
