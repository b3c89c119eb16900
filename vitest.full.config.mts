import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.mjs';

/** What takes long, or needs more than Node: `npm run test:full`. One file after the other, so that times mean something. */
export default mergeConfig(
  { ...base, test: {} },
  defineConfig({
    test: {
      include: ['test/full/**/*.test.ts'],
      fileParallelism: false,
      testTimeout: 20 * 60_000,
      hookTimeout: 10 * 60_000,
    },
  }),
);
