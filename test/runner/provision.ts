/** Fetches and builds third-party binaries while the tests that don't need them run. */
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findTool, type ToolName } from '../../adapters/binaries/binaries.ts';
import { messageOf } from '../../domain/errors.ts';
import { formatDuration, print } from './report.ts';

/** The order: binaries for the first tests come first, and builds that take minutes come last. */
const GROUPS: readonly ToolName[][] = [
  ['temporal'],
  ['etcd', 'etcdctl', 'etcdutl'],
  ['versitygw'],
  ['etcd35', 'etcdutl35'],
  ['kube-apiserver', 'kubectl'],
  ['kubelet', 'kubeadm', 'kube-controller-manager', 'kube-scheduler'],
];
const LINES_KEPT = 20;
const PRINT_EVERY_MS = 15_000;

export interface Provision {
  /** Whether every binary was present when the run began. */
  warm: boolean;
  /** Waits for some tools; resolves to undefined if all are present, otherwise to the reason why one is missing. */
  missing(tools: readonly ToolName[]): Promise<string | undefined>;
}

/** Starts to provide the tools, one group after another and at low priority, because the tests share the cores. */
export async function startProvision(
  root: string,
  wanted: ReadonlySet<ToolName>,
  signal: AbortSignal,
): Promise<Provision> {
  const reasons = new Map<ToolName, Promise<string | undefined>>();
  let before = Promise.resolve<string | undefined>(undefined);
  let warm = true;
  for (const group of GROUPS) {
    const tools = group.filter((tool) => wanted.has(tool));
    if (tools.length === 0) continue;
    const found = await Promise.all(tools.map((tool) => findTool(tool)));
    if (found.every((tool) => tool !== undefined)) {
      for (const tool of tools) reasons.set(tool, Promise.resolve(undefined));
      continue;
    }
    warm = false;
    const result = before.then(() => provide(root, tools, signal)).catch(messageOf);
    for (const tool of tools) reasons.set(tool, result);
    before = result;
  }
  return {
    warm,
    async missing(tools) {
      for (const tool of tools) {
        const reason = await reasons.get(tool);
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
  };
}

/** Runs `tools/provide.ts`; resolves to undefined, or to its output if it failed. */
async function provide(root: string, tools: readonly ToolName[], signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  const names = tools.join(', ');
  const startedAt = performance.now();
  // It gets its own process group, so that the compilers it starts end with it.
  const child = spawn(process.execPath, [join(root, 'tools/provide.ts'), ...tools], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  const stop = (): void => {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  const kept: string[] = [];
  let printedAt = -Infinity;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      if (kept.length > LINES_KEPT) kept.shift();
      if (performance.now() - printedAt < PRINT_EVERY_MS) return;
      printedAt = performance.now();
      print(`  [${names}] ${line}`);
    });
  }
  try {
    const exitCode = await ended;
    const durationMs = performance.now() - startedAt;
    if (exitCode !== 0) return `${names}: not to be had; tools/provide.ts said:\n${kept.join('\n')}`;
    print(`  [${names}] ready after ${formatDuration(durationMs)}`);
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
