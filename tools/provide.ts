/**
 * Provides third-party binaries: progress on standard error, one `<name> <version> <path> (<source>)` line per tool on
 * standard output.
 *
 *   node tools/provide.ts etcd etcdctl ... [--no-build]
 *   node tools/provide.ts --urls [etcd ...]     the files that a mirror needs, for every platform
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../domain/errors.ts';
import { isToolName, provideTool, TOOL_NAMES, type ToolName } from '../adapters/binaries/binaries.ts';
import { PLATFORMS, releaseOf } from '../adapters/binaries/pins.ts';

const { values, positionals } = parseArgs({
  options: { build: { type: 'boolean', default: true }, urls: { type: 'boolean', default: false } },
  allowNegative: true,
  allowPositionals: true,
});

async function main(): Promise<void> {
  const unknown = positionals.find((name) => !isToolName(name));
  const tools = positionals.filter(isToolName);
  if (unknown !== undefined || (tools.length === 0 && !values.urls)) {
    say(
      `tools/provide.ts: expected one or more of ${TOOL_NAMES.join(', ')}${unknown === undefined ? '' : `, got ${unknown}`}`,
    );
    process.exitCode = 2;
    return;
  }
  if (values.urls) printUrls(tools.length === 0 ? TOOL_NAMES : tools);
  else await provideAll(tools);
}

async function provideAll(tools: readonly ToolName[]): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: while a handler remains, the work in progress is ended and cleaned up before this process ends.
    process.on(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
  }
  for (const name of tools) {
    try {
      const options = { onProgress: say, signal: interrupt.signal, build: values.build };
      const { version, path, source } = await provideTool(name, options);
      process.stdout.write(`${name} ${version} ${path} (${source})\n`);
    } catch (error) {
      say(messageOf(error));
      process.exitCode = 1;
      if (interrupt.signal.aborted) return;
    }
  }
}

function printUrls(tools: readonly ToolName[]): void {
  const urls = tools.flatMap((tool) =>
    PLATFORMS.flatMap((platform) => {
      const artifact = releaseOf(tool).release.artifact(tool, platform);
      return artifact ? [artifact.url, artifact.checksumsUrl] : [];
    }),
  );
  for (const url of new Set(urls)) process.stdout.write(`${url}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
