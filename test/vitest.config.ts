import { defineConfig } from 'vitest/config';

/** They put something else in the place of a module, for which it must not be loaded yet. */
const MOCKING = [
  'test/unit/client/lease-handle.test.ts',
  'test/unit/config.test.ts',
  'test/unit/workflows/activity-calls.test.ts',
  'test/unit/workflows/job-steps.test.ts',
  'test/unit/workflows/outbox.test.ts',
];
/** What several test files share costs each of them seconds of loading when they are kept apart. */
const PURE = 'test/unit/**/*.test.ts';

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    pool: 'forks',
    // Real servers, models and pods share two cores, and wait half of the time: with more forks time-outs would lie.
    maxWorkers: 3,
    maxConcurrency: 14,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: [PURE], exclude: MOCKING, isolate: false } },
      {
        extends: true,
        test: {
          name: 'apart',
          include: [...MOCKING, 'test/{workflow,replay,integration,emulator,pod,simulation}/**/*.test.ts'],
        },
      },
    ],
  },
});
