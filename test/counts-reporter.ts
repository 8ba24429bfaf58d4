import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with one plain line that people and scripts can read: `N passed, N failed, N skipped`. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed++;
        else if (state === "failed") failedInside++;
        else counts.skipped++;
      }
      // A file that fails before or beside its tests has no failed test, and must not go uncounted.
      counts.failed += failedInside === 0 && module.state() === "failed" ? 1 : failedInside;
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    // After the other reporters' last words.
    process.on("exit", () => process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`));
  }
}
