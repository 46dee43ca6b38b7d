import { defineConfig } from 'vitest/config';

/** The images, built and run on this machine; see docs/install.md. */
export default defineConfig({
  test: {
    include: ['test/images/**/*.test.ts'],
    globalSetup: ['test/images/support/global-setup.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
