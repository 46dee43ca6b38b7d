import { defineConfig } from 'vitest/config';

/** Against a real API server; see docs/e2e.md. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/support/global-setup.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    // One API server for all, on two cores.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
