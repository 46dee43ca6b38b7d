import { defineConfig } from 'vitest/config';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(`the tests need Node 24 or newer; this is ${process.version}. Run them with "npm test".`);
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/images/**'],
    reporters: ['default', './test/support/plain-summary.ts'],
    testTimeout: 20_000,
  },
});
