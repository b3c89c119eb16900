import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: '#engine', replacement: path('./src/crypto/node.ts') },
      // The command line uses the published entry points; tests run it on the sources.
      { find: /^keybound$/, replacement: path('./src/index.ts') },
      { find: /^keybound\/local$/, replacement: path('./src/keys/providers/local/index.ts') },
      { find: /^keybound\/file$/, replacement: path('./src/storage/stores/file/index.ts') },
      { find: /^keybound\/memory$/, replacement: path('./src/storage/stores/memory.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/full/**'],
    testTimeout: 30_000,
  },
});
