import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{chaos,browser,slow}/**/*.test.ts'],
    globalSetup: './test/support/global-setup.ts',
    pool: 'forks',
    // Most of their time is waiting: for idle times, graces and boots. Three keep two cores half busy.
    maxWorkers: 3,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
