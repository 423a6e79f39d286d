/** The processes of a playground: each leaves a record, so nothing else is ever ended, even if its pid is reused. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SalvorError } from '../domain/errors.ts';

const LINUX = process.platform === 'linux';
const POLL_MS = 20;

/** The variable that marks every process of a playground and its children; its value is the playground's directory. */
export const MARK = 'SALVOR_PLAYGROUND';

/**
 * What distinguishes a process from a later one with the same pid: its start time, and the boot of the machine.
 * Undefined when it is gone, or a zombie. The service scripts write the same (see `service.ts`).
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  try {
    if (LINUX) {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // proc(5): the command's name, in parentheses, may hold anything; the state is field 3 and the start time field
      // 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return `${fields[19]}@${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()}`;
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state = '', ...started] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

/** The pid in a record, if that very process still runs. */
export async function runningPid(record: string): Promise<number | undefined> {
  const text = await readFile(record, 'utf8').catch(() => '');
  const [, digits = '', identity = ''] = /^(\d+) (.+)\n/.exec(text) ?? [];
  const pid = Number(digits);
  if (pid < 2 || identity === '') return undefined;
  return (await identityOf(pid)) === identity ? pid : undefined;
}

/** Asks the recorded process to end, and kills it if it still runs after the grace period. A missing record is fine. */
export async function endRecorded(record: string, graceMs: number): Promise<void> {
  await end(() => runningPid(record), graceMs);
}

/** Ends the leftover children of the playground's processes, found by the mark in their environment (Linux only). */
export async function endStrays(directory: string, graceMs: number): Promise<void> {
  if (!LINUX) return;
  const marked = `${MARK}=${directory}`;
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || !(await isMarked(pid, marked))) continue;
    const identity = await identityOf(pid);
    if (identity === undefined) continue;
    await end(async () => ((await identityOf(pid)) === identity ? pid : undefined), graceMs);
  }
}

async function isMarked(pid: number, marked: string): Promise<boolean> {
  const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return variables.split('\0').includes(marked);
}

async function end(find: () => Promise<number | undefined>, graceMs: number): Promise<void> {
  const first = await find();
  if (first === undefined) return;
  signalProcess(first, 'SIGTERM');
  const killAt = Date.now() + graceMs;
  const giveUpAt = killAt + 10_000;
  for (;;) {
    const pid = await find();
    if (pid === undefined) return;
    if (Date.now() > giveUpAt) {
      throw new SalvorError(
        'ComponentStuck',
        `process ${pid} did not end within 10 s after SIGKILL; look at it with: ps ${pid}`,
      );
    }
    if (Date.now() > killAt) signalProcess(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** Sends a signal; a process that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
