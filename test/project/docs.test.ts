import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/errors.js';

const project = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(project, file), 'utf8');

describe('the documents', () => {
  it('docs/errors.md is the table of codes', () => {
    const rows = read('docs/errors.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const expected = Object.entries(errorCodes).map(
      ([code, { meaning, retryable, advice }]) =>
        `| \`${code}\` | ${meaning} | ${retryable ? 'yes' : 'no'} | ${advice} |`,
    );
    expect(rows).toEqual(expected);
  });

  it('README’s example is the one that runs', () => {
    const [, example] = /```ts\n([^]*?)```/.exec(read('README.md')) ?? [];
    expect(example).toBe(read('examples/first-object.ts'));
  });

  const documents = [
    ...readdirSync(project).filter((file) => file.endsWith('.md')),
    ...readdirSync(join(project, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => join('docs', file)),
  ];
  it.each(documents)('%s links to files that are there', (document) => {
    // Code is not prose.
    const prose = read(document).replace(/^```[^]*?^```/gm, '');
    const links = [...prose.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = '']) => link);
    for (const link of links) {
      expect(existsSync(join(project, dirname(document), link)), `${document} → ${link}`).toBe(true);
    }
  });

  it('every decision is one page, numbered without gaps', () => {
    const names = readdirSync(join(project, 'docs/decisions')).sort();
    names.forEach((name, i) => {
      expect(name).toMatch(new RegExp(`^${String(i + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`));
    });
  });
});
