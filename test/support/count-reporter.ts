import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed, N skipped` as the last line: the form that CI reads whatever the runner. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // A failed hook fails no test, but what it would have tested is not shown to work.
      const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
      counts.failed += suites.length + (module.errors().length > 0 ? 1 : 0);
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
    }
    const skipped = counts.skipped + counts.pending;
    // The default reporter prints its summary in the same tick; ours has to come after it.
    process.once('exit', () => {
      process.stdout.write(
        `${counts.passed} passed, ${counts.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
      );
    });
  }
}
