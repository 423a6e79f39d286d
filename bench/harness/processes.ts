/** Measures what processes used, by the kernel's accounting in /proc (Linux only). */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const LOOK_EVERY_MS = 50;

/** User and system time of a process and its ended children, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = await cpuFields(pid);
  return (user + system + childrenUser + childrenSystem) / TICKS_PER_SECOND;
}

/** User and system time of only this process's ended children, in seconds. */
async function endedChildrenSeconds(): Promise<number> {
  const [, , user = 0, system = 0] = await cpuFields(process.pid);
  return (user + system) / TICKS_PER_SECOND;
}

async function cpuFields(pid: number): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // proc(5): the command's name, in parentheses, may contain anything; utime, stime, cutime and cstime are fields 14 to
  // 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map(Number);
}

/** The peak resident memory of a process since {@link resetPeak}, in bytes; 0 if the process has ended. */
export async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Resets {@link peakBytes} to the memory that is resident now. */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

export interface CommandUse {
  wallSeconds: number;
  cpuSeconds: number;
  peakBytes: number;
}

/**
 * Runs a command to its end. Run nothing else meanwhile: the processor time includes every child that ends.
 * @throws ExecaError if the command fails
 */
export async function runMeasured(
  [command, ...args]: readonly [string, ...string[]],
  env: Record<string, string> = {},
): Promise<CommandUse> {
  const cpuBefore = await endedChildrenSeconds();
  const startedAt = performance.now();
  const child = execa(command, args, { env, stdin: 'ignore', all: true });
  const ended = new AbortController();
  let peak = 0;
  async function watch(pid: number): Promise<void> {
    while (!ended.signal.aborted) {
      peak = Math.max(peak, await peakBytes(pid));
      await delay(LOOK_EVERY_MS);
    }
  }
  const watching = child.pid === undefined ? undefined : watch(child.pid);
  try {
    await child;
  } finally {
    ended.abort();
  }
  const wallSeconds = (performance.now() - startedAt) / 1_000;
  await watching;
  return { wallSeconds, cpuSeconds: (await endedChildrenSeconds()) - cpuBefore, peakBytes: peak };
}
