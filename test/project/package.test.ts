import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The package as its users get it: packed, checked, and imported from a project of its own. `npm test` has built it.
 */
const run = promisify(execFile);
const project = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Record<string, { types: string; default: string }>>;
  imports: Record<string, Record<string, Record<string, string>>>;
  bin?: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
};
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
let consumer: string;
let packed: Packed;
let tarball: string;

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const tell = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

beforeAll(async () => {
  consumer = mkdtempSync(join(tmpdir(), 'keybound-consumer-'));
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer],
    { cwd: project },
  );
  const [only] = Object.values(JSON.parse(stdout) as Packed[] | Record<string, Packed>);
  if (only === undefined) throw new Error('npm pack made nothing');
  packed = only;
  tarball = join(consumer, packed.filename);
  await run('tar', ['-xzf', tarball, '-C', consumer]);
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

/** Those that are modules; the others name a file to read. */
const subpaths = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [subpath],
);
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

  it('satisfies publint', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: join(consumer, 'node_modules/keybound'), strict: true });
    expect(messages).toEqual([]);
  });

  it('has types that resolve for every kind of consumer', async () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js');
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
});

describe('the tarball', () => {
  const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'SPEC.md', 'docs/errors.md'];

  it('holds package.json, documents, and what its entries lead to: nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ['package.json', 'THIRD-PARTY-NOTICES.txt', ...documents]) {
      expect(paths).toContain(path);
    }
    const targets = JSON.stringify([manifest.exports, manifest.imports, manifest.bin]).matchAll(
      /:"\.\/([^"]+)"/g,
    );
    const entries = new Set([...targets].map(([, path = '']) => path));
    expect(entries.size).toBeGreaterThan(20);
    for (const entry of entries) expect(paths).toContain(entry);
    // What several entries share is in files of the bundler's own naming, which some other file imports.
    const chunk = /^dist\/[a-z-]+-[\w-]{8}\.(mjs|d\.ts|d\.mts)$/;
    const code = paths
      .filter((path) => path.startsWith('dist/'))
      .map((path) => readFileSync(join(project, path), 'utf8'));
    const isImported = (path: string): boolean => {
      const name = basename(path).replace(/\.d\.(m?)ts$/, '.$1js');
      return code.some((text) => text.includes(`'./${name}'`) || text.includes(`"./${name}"`));
    };
    // The declarations of engines, which are reached through `#engine`, come with their code.
    const engine = /^dist\/engine-(node|portable)\.d\.m?ts$/;
    const document = /^(package\.json|[A-Z-]+\.md|LICENSE|THIRD-PARTY-NOTICES\.txt|docs\/[a-z-]+\.md)$/;
    const foreign = paths.filter(
      (path) =>
        !document.test(path) &&
        !entries.has(path) &&
        !engine.test(path) &&
        !(chunk.test(path) && isImported(path)),
    );
    expect(foreign).toEqual([]);
  });

  it('is small', () => {
    tell(
      `tarball: ${kib(packed.size)}, unpacked ${kib(packed.unpackedSize)}, ${String(packed.files.length)} files`,
    );
    expect(packed.size).toBeLessThan(700 * 1024);
    expect(packed.unpackedSize).toBeLessThan(3 * 1024 * 1024);
  });

  it('asks for nothing at run time but its dependencies and Node', async () => {
    const { metafile } = await build({
      entryPoints: readdirSync(join(project, 'dist'))
        .filter((file) => /\.[cm]?js$/.test(file))
        .map((file) => ({ in: join(project, 'dist', file), out: file })),
      bundle: true,
      write: false,
      metafile: true,
      outdir: consumer,
      packages: 'external',
      logLevel: 'silent',
      platform: 'node',
      format: 'esm',
    });
    const wanted = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    const known = new Set([
      'keybound',
      ...builtinModules,
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ]);
    const foreign = wanted
      .map((path) => packageOf(path.replace(/^node:/, '')))
      .filter((name) => !known.has(name));
    expect([...new Set(foreign)]).toEqual([]);
  });
});

/** `@scope/name/file` and `name/file` belong to `@scope/name` and `name`. */
const packageOf = (path: string): string => path.split('/', path.startsWith('@') ? 2 : 1).join('/');

/** What a bundler makes of a module that imports the package, for browsers or Node. */
async function bundleOf(
  source: string,
  platform: 'browser' | 'node',
): Promise<{ size: number; gzipped: number; inputs: string[]; packages: string[] }> {
  const { outputFiles, metafile }: { outputFiles: { contents: Uint8Array }[]; metafile: Metafile } =
    await build({
      stdin: { contents: source, resolveDir: consumer },
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      logLevel: 'silent',
      format: 'esm',
      platform,
    });
  const [file] = outputFiles;
  const contents = file?.contents ?? new Uint8Array();
  // What ends up in the output: a module that was looked at and dropped takes no bytes.
  const inputs = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  const packages = inputs.flatMap((path) => {
    const [, inside] = /^.*node_modules\/(.*)$/.exec(path) ?? [];
    return inside === undefined ? [] : [packageOf(inside)];
  });
  return {
    size: contents.length,
    gzipped: gzipSync(contents).length,
    inputs,
    packages: [...new Set(packages)].filter((name) => name !== 'keybound').sort(),
  };
}

describe('a bundle of the root entry', () => {
  const source = `import { openKeybound } from 'keybound'; console.log(openKeybound);`;

  it('for browsers holds the portable engine, nothing of Node’s, no cloud SDK, and is small', async () => {
    const { size, gzipped, inputs, packages } = await bundleOf(source, 'browser');
    tell(`bundle of openKeybound for browsers: ${kib(size)} minified, ${kib(gzipped)} gzipped`);
    expect(packages).toEqual(['@noble/ciphers', '@noble/hashes', '@scure/base', 'jose']);
    expect(inputs.join('\n')).not.toMatch(/engine-node|node:/);
    expect(size).toBeLessThan(150 * 1024);
  });

  it('for Node holds Node’s engine, no cloud SDK, and is small', async () => {
    const { size, gzipped, packages } = await bundleOf(source, 'node');
    tell(`bundle of openKeybound for Node: ${kib(size)} minified, ${kib(gzipped)} gzipped`);
    expect(packages).toEqual(['@scure/base', 'jose']);
    expect(size).toBeLessThan(150 * 1024);
  });

  it('with memory and file stores holds no age and no scrypt', async () => {
    const more = `${source} export * from 'keybound/memory'; export * from 'keybound/file';`;
    expect((await bundleOf(more, 'node')).packages).toEqual(['@scure/base', 'jose']);
  });

  it('leaves out what is not used', async () => {
    const { size } = await bundleOf(
      `import { allOf } from 'keybound'; console.log(allOf('a', 'b'));`,
      'browser',
    );
    tell(`bundle of allOf alone: ${kib(size)} minified`);
    expect(size).toBeLessThan(24 * 1024);
  });

  it('is empty when nothing is used: importing has no side effects', async () => {
    for (const subpath of subpaths) {
      expect((await bundleOf(`import '${nameOf(subpath)}';`, 'node')).size, subpath).toBe(0);
    }
  });
});

describe('other people’s code in the package', () => {
  const named = (): string[] =>
    [...readFileSync(join(project, 'THIRD-PARTY-NOTICES.txt'), 'utf8').matchAll(/^ {2}(\S+)$/gm)].map(
      ([, name = '']) => name,
    );

  it('is shipped with its licences', async () => {
    const { stdout } = await run('node', ['scripts/notices.mjs', '--check'], { cwd: project }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toMatch(/^notices of \d+ packages are as the build is\n$/);
  });

  it('is named in the notices, whatever the source imports', () => {
    const src = join(project, 'src');
    const imported = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => ts.preProcessFile(readFileSync(join(src, file), 'utf8')).importedFiles)
      .map(({ fileName }) => fileName)
      .filter((name) => !/^(\.|#|node:|keybound(\/|$))/.test(name))
      .map(packageOf)
      .filter((name) => !(name in (manifest.peerDependencies ?? {})));
    expect(imported).toContain('jose');
    expect(named()).toEqual(expect.arrayContaining([...new Set(imported)]));
  });

  it('and what is installed with it are in the bill of materials, all under permissive licences', async () => {
    const { stdout } = await run('node', ['scripts/sbom.mjs'], { cwd: project, maxBuffer: 2 ** 24 });
    const bill = JSON.parse(stdout) as {
      metadata: { component: { name: string } };
      components: { name: string; version: string; hashes?: unknown[]; licenses: unknown[] }[];
    };
    expect(bill.metadata.component.name).toBe('keybound');
    const names = bill.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...Object.keys(manifest.dependencies), ...named()]));
    for (const { name, hashes, licenses } of bill.components) {
      expect([hashes?.length, licenses.length], name).toEqual([1, 1]);
    }
  }, 60_000);
});
