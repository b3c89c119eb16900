/*
 * The worker and everything it runs as one file, made anew from the sources for each run.
 */
import { build, type Plugin } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Edges, instrument } from './instrument.js';

const here = __dirname;
const root = join(here, '../../..');

/** The code whose branches guide: the library, and the parser it hands foreign files to. */
const guiding = /(^src\/.*\.ts|^node_modules\/age-encryption\/.*\.js)$/;

/** What the published entry points that are used are made of. */
const entries: Readonly<Record<string, string>> = {
  keybound: 'src/index.ts',
  'keybound/local': 'src/keys/providers/local/index.ts',
  'keybound/file': 'src/storage/stores/file/index.ts',
};

function plugin(edges: Edges | null): Plugin {
  return {
    name: 'fuzz',
    setup(builder) {
      builder.onResolve({ filter: /^#engine$/ }, () => ({ path: join(here, 'seeded-engine.ts') }));
      // The command line uses the published entry points.
      builder.onResolve({ filter: /^keybound(\/|$)/ }, ({ path }) => ({
        path: join(root, entries[path] ?? ''),
      }));
      if (edges === null) return;
      builder.onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
        if (!guiding.test(relative(root, path))) return undefined;
        return { contents: instrument(readFileSync(path, 'utf8'), path, edges), loader: 'js' };
      });
    },
  };
}

export interface Bundle {
  readonly path: string;
  /** Where it lies, and where targets may write. */
  readonly folder: string;
  remove(): void;
}

/** `guided` puts counters in, which takes some seconds. */
export async function bundleWorker(guided: boolean): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'keybound-fuzz-'));
  const path = join(folder, 'worker.mjs');
  const edges = guided ? new Edges() : null;
  const { outputFiles } = await build({
    entryPoints: [join(here, 'worker.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    absWorkingDir: root,
    logLevel: 'error',
    keepNames: true,
    tsconfigRaw: '{}',
    // commander is CommonJS.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
    plugins: [plugin(edges)],
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild gave no file');
  // How many there are is known only now.
  const counters = edges === null ? '' : `globalThis.fuzzEdges = new Uint32Array(${String(edges.count)});`;
  writeFileSync(path, `${counters}${file.text}`);
  return {
    path,
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
