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
};

export default defineConfig([
  { ...shared, format: 'esm', splitting: true },
  // Dependencies are ESM only: bundled here, so that `require` and Jest work on every Node 20. One bundle per
  // subpath (esbuild's CJS splitting breaks `jose`): errors are branded so that the copies recognise each other.
  {
    ...shared,
    format: 'cjs',
    splitting: false,
    noExternal: [/^@noble\//, /^@scure\//, 'jose', 'age-encryption'],
  },
]);
