/** Starts parts in parallel, each after those it needs. */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { type ProvideOptions, provideTool } from '../adapters/binaries/binaries.ts';
import type { Part } from './parts.ts';
import { isFree } from './ports.ts';
import { runningPid } from './processes.ts';
import { writeService } from './service.ts';
import type { Paths } from './state.ts';

const POLL_MS = 50;
/** On a busy machine with two slow cores a kube-apiserver takes about 15 s. */
const DEADLINE_MS = 120_000;
const FREE_MS = 5_000;

/** Writes the service scripts of the parts; missing tools are fetched or built. */
export async function writeServices(parts: readonly Part[], paths: Paths, options: ProvideOptions): Promise<void> {
  const tools = [...new Set(parts.map((part) => part.tool))];
  const found = await Promise.all(
    tools.map(
      async (tool) => [tool, tool === 'node' ? process.execPath : (await provideTool(tool, options)).path] as const,
    ),
  );
  const commands = new Map(found);
  for (const { name, service, tool, args, env = {}, envFiles = {}, graceSeconds } of parts) {
    const argv: [string, ...string[]] = [commands.get(tool) ?? tool, ...args];
    const [record, log] = [paths.record(name), paths.log(name)];
    await mkdir(dirname(service), { recursive: true, mode: 0o700 });
    await writeService(service, { name, directory: paths.directory, argv, env, envFiles, record, log, graceSeconds });
  }
}

/**
 * Starts the parts that don't run, and waits until all answer.
 * @throws SalvorError `ComponentStuck` for a part that ended or didn't answer, with the end of its log
 */
export async function startParts(
  parts: readonly Part[],
  paths: Paths,
  options: { onProgress: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const started = new Map<string, Promise<void>>();
  for (const part of parts) {
    const needed = part.after.flatMap((name) => started.get(name) ?? []);
    const start = async (): Promise<void> => {
      await Promise.all(needed);
      await startPart(part, paths, { ...options, signal });
    };
    started.set(part.name, start());
  }
  try {
    await Promise.all(started.values());
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(started.values());
    throw error;
  }
}

/** Starts one part unless it runs, and waits until it answers. */
export async function startPart(
  part: Part,
  paths: Paths,
  { onProgress, signal }: { onProgress: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const record = paths.record(part.name);
  if ((await runningPid(record)) === undefined) {
    for (const { address, port } of part.listens) {
      if (await becomesFree(address, port, signal)) continue;
      throw new SalvorError(
        'ComponentStuck',
        `${part.name} can't start: another process listens on ${address}:${port}; end it, or recreate the playground with other ports: salvor playground down, then up`,
      );
    }
    await runService(part, 'start', signal);
  }
  const startedAt = Date.now();
  while (!(await part.answers())) {
    signal.throwIfAborted();
    const ended = (await runningPid(record)) === undefined;
    if (ended || Date.now() - startedAt > DEADLINE_MS) {
      const what = ended ? 'ended before it answered' : `does not answer after ${DEADLINE_MS / 1_000} s`;
      throw new SalvorError(
        'ComponentStuck',
        `${part.name} ${what}; its log ${paths.log(part.name)} ends:\n${await endOfLog(part, paths)}`,
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
  onProgress(`${part.name} answers at ${part.address}`);
}

/** A killed process frees its port a moment after it is gone, with the last of its threads. */
async function becomesFree(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  const endMs = Date.now() + FREE_MS;
  while (!(await isFree(address, port))) {
    if (Date.now() > endMs) return false;
    await delay(POLL_MS, undefined, { signal });
  }
  return true;
}

/** Runs a service script. */
export async function runService(part: Part, action: 'start' | 'stop', signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)(part.service, [action], { signal });
  } catch (error) {
    throw new SalvorError('CommandFailed', `${part.service} ${action} failed: ${messageOf(error)}`, { cause: error });
  }
}

async function endOfLog(part: Part, paths: Paths): Promise<string> {
  const text = await readFile(paths.log(part.name), 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}
