import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,workflow,replay,integration,emulator,pod,simulation}/**/*.test.ts'],
    globalSetup: './test/support/global-setup.ts',
    pool: 'forks',
    // Real servers, models and pods share two cores: more forks make tests slower and time-outs lie.
    maxWorkers: 2,
    maxConcurrency: 11,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
