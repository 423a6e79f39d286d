/** Runs a program that takes a while, and reports its progress. */
import { execa, ExecaError } from 'execa';
import { messageOf } from '../../domain/errors.ts';

const REPORT_EVERY_MS = 15_000;
const LINES_KEPT = 5;

export interface Progress {
  report: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a command to its end; every 15 s the elapsed time and the command's last line of output are reported.
 * @param name the command's name in messages
 * @throws Error with the last lines of the command's output; the signal's reason on abort
 */
export async function runReporting(
  name: string,
  [command, ...args]: readonly [string, ...string[]],
  options: { cwd?: string; env?: Record<string, string> },
  { report, signal }: Progress,
): Promise<void> {
  signal?.throwIfAborted();
  const startedAt = performance.now();
  const said: string[] = [];
  let lines = 0;
  const child = execa(command, args, {
    ...options,
    stdin: 'ignore',
    all: true,
    buffer: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    report(`${seconds} s${lines === 0 ? '' : `, ${lines} lines, now ${said.at(-1)}`}`);
  }, REPORT_EVERY_MS);
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      lines += 1;
      said.push(line);
      if (said.length > LINES_KEPT) said.shift();
    }
    await child;
  } catch (error) {
    signal?.throwIfAborted();
    const exitCode = error instanceof ExecaError ? error.exitCode : undefined;
    const why = exitCode === undefined ? messageOf(error) : `exit code ${exitCode}`;
    throw new Error(`${name} failed (${why}):\n${said.join('\n')}`, { cause: error });
  } finally {
    clearInterval(timer);
  }
}
