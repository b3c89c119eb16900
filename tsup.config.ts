import { defineConfig, type Options } from 'tsup';

/** One entry per subpath of package.json's `exports`, and the two engines behind its `imports`. */
const entry = {
  index: 'src/index.ts',
  local: 'src/keys/providers/local/index.ts',
  file: 'src/storage/stores/file/index.ts',
  memory: 'src/storage/stores/memory.ts',
  portable: 'src/crypto/portable.ts',
  testing: 'src/testing/index.ts',
  'engine-node': 'src/crypto/node.ts',
  'engine-portable': 'src/crypto/portable.ts',
};

const shared: Options = {
  entry,
  platform: 'node',
  target: 'es2023',
  external: ['#engine', 'vitest'],
  dts: true,
  removeNodeProtocol: false,
};

export default defineConfig([
  { ...shared, format: 'esm', splitting: true },
  // The command line uses the package by its name, as an outsider would. What it needs beside that is bundled into it, so
  // that nobody who embeds the library installs it.
  {
    entry: { cli: 'src/cli/bin.ts' },
    platform: 'node',
    target: 'es2023',
    format: 'esm',
    external: [/^keybound(\/|$)/],
    noExternal: ['commander', 'read', 'zod'],
    removeNodeProtocol: false,
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  },
  // Dependencies are ESM only: bundled here, so that `require` and Jest work on every Node 20. One bundle per
  // subpath (esbuild's CJS splitting breaks `jose`): errors are branded so that the copies recognise each other.
  {
    ...shared,
    format: 'cjs',
    splitting: false,
    noExternal: [/^@noble\//, /^@scure\//, 'jose', 'age-encryption'],
  },
]);
