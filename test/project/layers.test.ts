import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const src = join(__dirname, '../../src');

/**
 * The layers of src, from the top down: a file imports from its own layer and those below (CONTRIBUTING.md). A layer is
 * named by the folders and files it consists of.
 */
const layers: readonly (readonly string[])[] = [
  ['cli/'],
  ['index.ts'],
  ['keybound.ts', 'inspect.ts', 'namespace/'],
  ['lifecycle/'],
  ['binding/'],
  ['keys/', 'storage/', 'streams/', 'testing/'],
  ['format/'],
  ['crypto/'],
  ['events.ts'],
  ['errors.ts', 'internal/'],
];

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

const layerOf = (file: string): number => {
  const layer = layers.findIndex((parts) => parts.some((part) => file === part || file.startsWith(part)));
  if (layer < 0) throw new Error(`${file} belongs to no layer`);
  return layer;
};

/** Every module a file imports or re-exports: files of src by their path, packages by their name. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(src, file), 'utf8'));
  return importedFiles.map(({ fileName }) =>
    fileName.startsWith('.')
      ? relative(src, join(src, dirname(file), fileName)).replace(/\.js$/, '.ts')
      : fileName,
  );
}

const isOwn = (module: string): boolean => module.endsWith('.ts');

describe('the layers of src', () => {
  it.each(files)('%s imports downwards only', (file) => {
    const upward = importsOf(file).filter((module) => isOwn(module) && layerOf(module) < layerOf(file));
    expect(upward).toEqual([]);
  });

  it('have no circles', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file))
        throw new Error(`circle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      if (done.has(file)) return;
      for (const module of importsOf(file).filter(isOwn)) visit(module, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(done.size).toBe(files.length);
  });

  it('give the command line the published entry points only, as an outsider would use them', () => {
    const inside = files
      .filter((file) => file.startsWith('cli/'))
      .flatMap((file) => importsOf(file).filter((module) => isOwn(module) && !module.startsWith('cli/')));
    expect(inside).toEqual([]);
  });

  it('keep providers and stores apart: their port, errors, internal and the chunked body are all they know', () => {
    const adapters = [
      ...files.filter((file) => file.startsWith('keys/providers/')),
      ...files.filter((file) => file.startsWith('storage/stores/')),
    ];
    expect(adapters.length).toBeGreaterThan(3);
    const allowed =
      /^(errors\.ts|internal\/.*|keys\/provider\.ts|storage\/[a-z-]+\.ts|format\/(chunked-body|kms-context)\.ts)$/;
    for (const file of adapters) {
      const [, home = ''] = /^((?:keys\/providers|storage\/stores)\/[^/]+?)(?:\.ts|\/.*)$/.exec(file) ?? [];
      const foreign = importsOf(file).filter(
        (module) => isOwn(module) && !allowed.test(module) && !module.startsWith(home),
      );
      expect(foreign, file).toEqual([]);
    }
  });

  it('keep I/O, clocks and providers out of the format', () => {
    const modules = files
      .filter((file) => file.startsWith('format/') || file.startsWith('crypto/'))
      .flatMap((file) =>
        importsOf(file)
          .filter((module) => !isOwn(module))
          .map((module) => `${file}: ${module}`),
      );
    for (const module of modules) expect(module).toMatch(/node:crypto$|@noble\/|@scure\/base$/);
  });
});

describe('the root entry', () => {
  /** All packages that a file needs, through everything it imports. */
  function packagesOf(file: string, seen = new Set<string>()): Set<string> {
    const packages = new Set<string>();
    if (seen.has(file)) return packages;
    seen.add(file);
    for (const module of importsOf(file)) {
      if (!isOwn(module)) packages.add(module);
      else for (const name of packagesOf(module, seen)) packages.add(name);
    }
    return packages;
  }

  it('needs nothing but its engine, jose and base64: no cloud SDK, no provider, no store', () => {
    const packages = [...packagesOf('index.ts')].sort();
    expect(packages).toEqual(['#engine', '@scure/base', 'jose', 'node:stream']);
  });
});
