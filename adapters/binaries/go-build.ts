/**
 * Binaries built from the pinned Go modules under tools/go. Their sources come from the Go module proxy; go.sum has
 * their sums.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Progress, runReporting } from './run.ts';
import type { Registry, ToolName } from './pins.ts';

/**
 * Builds one tool, which takes minutes without a warm Go build cache.
 * @param output the file to write
 * @throws Error with the last lines of Go's output
 */
export async function buildWithGo(
  tool: ToolName,
  { module, ldflags, packages }: Extract<Registry, { kind: 'go' }>,
  output: string,
  progress: Progress,
): Promise<string> {
  const target = packages[tool];
  if (target === undefined) throw new TypeError(`tools/go/${module} has no package for ${tool}`);
  progress.report(`building ${target} with Go (this takes minutes the first time)`);
  // -v names packages as they are compiled; the other flags decide what a Go build cache can reuse.
  const flags = ['-mod=readonly', '-v', '-p', '2', '-trimpath', '-ldflags', ldflags];
  const options = { cwd: moduleFolder(module), env: { CGO_ENABLED: '0' } };
  await runReporting('go build', ['nice', 'go', 'build', ...flags, '-o', output, target], options, progress);
  return output;
}

/** The folder of a module, in the package's root: this file may be compiled into `dist/adapters/binaries`. */
function moduleFolder(module: string): string {
  const inSource = join(import.meta.dirname, '../../tools/go', module);
  return existsSync(inSource) ? inSource : join(import.meta.dirname, '../../../tools/go', module);
}
