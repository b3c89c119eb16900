/*
 * What it costs a program to import the library: time in fresh processes, and size.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { median } from './measure.mjs';

const project = fileURLToPath(new URL('..', import.meta.url));

function startMs(args) {
  const start = performance.now();
  execFileSync(process.execPath, args, { cwd: project });
  return performance.now() - start;
}

/** Milliseconds that an import adds to the start of a program, by module system. */
export function importTimes({ quick }) {
  const programs = {
    ESM: [
      ['--input-type=module', '-e', "import 'keybound'"],
      ['--input-type=module', '-e', ''],
    ],
    CJS: [
      ['-e', "require('keybound')"],
      ['-e', ''],
    ],
  };
  const added = { ESM: [], CJS: [] };
  for (let round = -1; round < (quick ? 9 : 25); round++) {
    for (const [system, [ours, bare]] of Object.entries(programs)) {
      const difference = startMs(ours) - startMs(bare);
      if (round >= 0) added[system].push(difference);
    }
  }
  return { ESM: median(added.ESM), CJS: median(added.CJS) };
}

async function sizeOf(external) {
  const { outputFiles } = await build({
    entryPoints: [`${project}dist/index.mjs`],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external,
    logLevel: 'error',
  });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, gzipped: gzipSync(contents).length };
}

/** Bytes of the root entry, minified: with what it depends on, and without. */
export async function importSizes() {
  const dependencies = ['jose', '@noble/*', '@scure/*', 'age-encryption'];
  return { all: await sizeOf([]), own: await sizeOf(dependencies) };
}
