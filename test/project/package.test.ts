import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The package as its users get it: packed, checked, and imported from a project of its own. `npm test` has built it.
 */
const run = promisify(execFile);
const project = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Record<string, { types: string; default: string }>>;
  imports: Record<string, Record<string, Record<string, string>>>;
};
let consumer: string;

beforeAll(async () => {
  consumer = mkdtempSync(join(tmpdir(), 'keybound-consumer-'));
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer],
    { cwd: project },
  );
  const packed = JSON.parse(stdout) as { filename: string }[] | Record<string, { filename: string }>;
  const [{ filename } = { filename: '' }] = Object.values(packed);
  await run('tar', ['-xzf', join(consumer, filename), '-C', consumer]);
  // What npm would install beside it is what this project has installed.
  const modules = join(consumer, 'node_modules');
  await run('mkdir', ['-p', modules]);
  await run('mv', [join(consumer, 'package'), join(modules, 'keybound')]);
  for (const dependency of ['jose', '@noble', '@scure', 'age-encryption']) {
    await run('ln', ['-s', join(project, 'node_modules', dependency), join(modules, dependency)]);
  }
}, 60_000);

afterAll(() => {
  rmSync(consumer, { recursive: true, force: true });
});

const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
const nameOf = (subpath: string): string => subpath.replace(/^\./, 'keybound');

describe('the exports map', () => {
  it('names files that are there, for ESM, CommonJS and types', () => {
    const targets = [manifest.exports, manifest.imports].flatMap(
      (map) => JSON.stringify(map).match(/\.\/dist\/[^"]+/g) ?? [],
    );
    expect(targets.length).toBeGreaterThan(20);
    for (const target of targets) expect(existsSync(join(project, target)), target).toBe(true);
  });

  it.each(subpaths)('%s can be imported and required, with the same names', async (subpath) => {
    const name = nameOf(subpath);
    const script = join(consumer, 'names.mjs');
    writeFileSync(
      script,
      `import { createRequire } from 'node:module';
       const names = (module) => Object.keys(module).filter((name) => name !== 'default').sort();
       console.log(JSON.stringify([names(await import('${name}')), names(createRequire(import.meta.url)('${name}'))]));`,
    );
    const { stdout } = await run('node', [script]);
    const [esm, cjs] = JSON.parse(stdout) as [string[], string[]];
    expect(esm.length).toBeGreaterThan(0);
    expect(cjs).toEqual(esm);
  });

  it('gives browsers the portable engine, and Node its own', () => {
    const resolve = createRequire(join(consumer, 'node_modules/keybound/dist/index.js')).resolve;
    expect(resolve('#engine')).toMatch(/engine-node\.js$/);
    expect(manifest.imports['#engine']?.['default']?.['import']).toMatch(/engine-portable\.mjs$/);
  });
});

describe('the package', () => {
  it('works for an outsider, with errors that ESM and CommonJS copies recognise in each other', async () => {
    const script = join(consumer, 'use.mjs');
    writeFileSync(
      script,
      `import { createRequire } from 'node:module';
       import assert from 'node:assert/strict';
       import { initRegistry, KeyboundError, openKeybound } from 'keybound';
       import { localKeys } from 'keybound/local';
       import { memoryStore } from 'keybound/memory';
       const cjs = createRequire(import.meta.url)('keybound');
       const keys = [localKeys({ service: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=', recovery: new Uint8Array(32).fill(2), acme: new Uint8Array(32).fill(3) })];
       const regions = { eu: { store: memoryStore(), keyLocations: ['local'] } };
       const { config } = await initRegistry({ regions, keys, key: 'local://service', recoveryKey: 'local://recovery' });
       const acme = await openKeybound({ ...config, regions, keys }).create('acme', { key: 'local://acme' });
       await acme.put('a', new TextEncoder().encode('hello'));
       assert.equal(await (await acme.get('a')).text(), 'hello');
       const theirs = await cjs.openKeybound({ ...config, regions, keys }).open('acme');
       assert.equal(await (await theirs.get('a')).text(), 'hello');
       const error = await theirs.get('b').catch((error) => error);
       assert(error instanceof KeyboundError && error instanceof cjs.KeyboundError && error.code === 'object-not-found');
       console.log('fine');`,
    );
    const { stdout, stderr } = await run('node', [script]);
    expect([stdout, stderr]).toEqual(['fine\n', '']);
  });

  it('lets an outsider run the conformance suites against an adapter of their own', async () => {
    const script = join(consumer, 'suite.mjs');
    writeFileSync(
      script,
      `import { keyProviderCases, objectStoreCases } from 'keybound/testing';
       import { localKeys } from 'keybound/local';
       import { memoryStore } from 'keybound/memory';
       const provider = localKeys({ one: new Uint8Array(32).fill(1), other: new Uint8Array(32).fill(2) });
       const subject = { provider, key: 'local://one', otherKey: 'local://other', missingKey: 'local://none', malformed: ['local://'] };
       const store = memoryStore();
       const cases = [...objectStoreCases(async () => store), ...keyProviderCases(async () => subject)];
       for (const { name, run } of cases) await run().catch((error) => console.log(name, error));
       console.log(cases.length > 60);`,
    );
    expect((await run('node', [script])).stdout).toBe('true\n');
  });

  it('can be bundled for a browser, with the portable engine and nothing of Node’s', async () => {
    const entry = join(consumer, 'browser.mjs');
    writeFileSync(
      entry,
      `export { openKeybound } from 'keybound'; export { memoryStore } from 'keybound/memory';`,
    );
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
    });
    const modules = Object.keys(metafile.inputs).join('\n');
    expect(modules).toMatch(/engine-portable\.mjs/);
    expect(modules).not.toMatch(/engine-node|node:|age-encryption|post-quantum/);
    expect(outputFiles.map(({ contents }) => contents.length < 150 * 1024)).toEqual([true]);
  });

  it('satisfies publint', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: join(consumer, 'node_modules/keybound'), strict: true });
    expect(messages).toEqual([]);
  });

  it('has types that resolve for every kind of consumer', async () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const { stdout } = await run(
      'npm',
      ['pack', '--ignore-scripts', '--silent', '--pack-destination', consumer],
      { cwd: project },
    );
    const tarball = join(consumer, stdout.trim());
    // Subpaths have no counterpart for resolution that predates the exports map.
    const { stdout: report } = await run('node', [
      attw,
      tarball,
      '--profile',
      'node16',
      '--format',
      'json',
    ]).catch((error: unknown) => error as { stdout: string });
    const { problems } = JSON.parse(report) as { problems?: Record<string, unknown[]> };
    expect(Object.keys(problems ?? {})).toEqual([]);
  }, 60_000);

  it('holds what it needs and nothing else', () => {
    const root = join(consumer, 'node_modules/keybound');
    for (const file of ['dist/index.js', 'README.md', 'LICENSE', 'SPEC.md', 'SECURITY.md', 'CHANGELOG.md']) {
      expect(existsSync(join(root, file)), file).toBe(true);
    }
    for (const file of ['src', 'test', 'examples', 'node_modules', '.ci']) {
      expect(existsSync(join(root, file)), file).toBe(false);
    }
  });
});
