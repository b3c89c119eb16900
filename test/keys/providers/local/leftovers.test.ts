import { existsSync, linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newTag } from '../../../../src/internal/process-tag.js';
import { tagOfTheDead } from '../../../support/dead-process.js';
import { madeKeyring } from './fixtures.js';

it('what a killed process left beside a keyring goes with the next change, and nothing of a living one', async () => {
  const { path, keyring } = await madeKeyring();
  const living = newTag();
  const dead = tagOfTheDead();
  mkdirSync(`${path}.tmp`);
  for (const tag of [living, dead]) writeFileSync(join(`${path}.tmp`, tag), 'staged');
  mkdirSync(join(`${path}.lock`, dead), { recursive: true });
  linkSync(join(`${path}.tmp`, dead), join(`${path}.lock`, dead, 'new'));
  await keyring.createKey('b');
  expect(readdirSync(`${path}.tmp`)).toEqual([living]);
  expect(existsSync(`${path}.lock`)).toBe(false);
  expect((await keyring.listKeys()).map(({ name }) => name)).toEqual(['app', 'b']);
});
