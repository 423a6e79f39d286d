/** The output of `make test`. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** The last line, which machines read. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** For example `0.4 s` or `3 min 07 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line for each file or check that ended. */
export function printOutcome(name: string, counts: Counts, durationMs: number): void {
  const mark = counts.failed > 0 ? 'FAIL' : 'ok';
  const parts = [`${counts.passed} passed`];
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  print(`  ${mark.padEnd(4)} ${name}  (${parts.join(', ')}, ${formatDuration(durationMs)})`);
}
