import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/*
 * The public surface is what docs/api says: a change of it shows in the diff that makes it. `npm test` has built it.
 */
const run = promisify(execFile);
const project = join(__dirname, '../..');
const { exports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { require: { default: string } }>;
};
const modules = Object.entries(exports).flatMap(([subpath, target]) =>
  typeof target === 'string'
    ? []
    : [
        {
          name: subpath.replace(/^\./, 'keybound'),
          report: join(project, `docs/api/${subpath === '.' ? 'index' : subpath.slice(2)}.md`),
          module: join(project, target.require.default),
        },
      ],
);

describe('the report of the public surface', () => {
  it('is as the build is', async () => {
    const { stdout } = await run('node', ['scripts/api-report.mjs', '--check'], { cwd: project }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout.split('\n')).toEqual([`${String(modules.length)} reports are as the build is`, '']);
  }, 60_000);

  it.each(modules)('of $name has everything that can be imported from it', ({ report, module }) => {
    expect(existsSync(report)).toBe(true);
    const [, surface = ''] = /```ts\n([^]*?)\n```/.exec(readFileSync(report, 'utf8')) ?? [];
    const declared = [
      ...surface.matchAll(/^(?:abstract )?(?:class|function|const) (\w+)|^\/\* exported as (\w+)/gm),
    ].map(([, name, alias]) => name ?? alias);
    const values = Object.keys(createRequire(module)(module) as object);
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter((name) => !declared.includes(name))).toEqual([]);
  });

  it.each(modules)('of $name has no any and no Buffer', ({ report }) => {
    expect(readFileSync(report, 'utf8')).not.toMatch(/\b(any|Buffer)\b/);
  });
});
