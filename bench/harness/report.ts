/** Shows results on the terminal and writes them to bench/results. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { SALVOR_VERSION } from '../../domain/version.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');

export interface Report {
  /** The file's name in bench/results. */
  name: string;
  title: string;
  /** The method, in sentences. */
  method: string;
  tables: Table[];
  /** Each measured value against its target, one line each. */
  verdicts: string[];
}

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** Prints a report and writes it to bench/results. */
export async function publish(report: Report, loadBefore: number): Promise<void> {
  const text = [
    `# ${report.title}`,
    report.method,
    ...report.tables.map(formatTable),
    report.verdicts.map((verdict) => `- ${verdict}`).join('\n'),
    machine(loadBefore),
  ].join('\n\n');
  process.stdout.write(`\n${text}\n`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, `${report.name}.md`), `${text}\n`);
}

function formatTable({ title, head, rows }: Table): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [`## ${title}`, '', line(head), rule, ...rows.map(line)].join('\n');
}

function machine(loadBefore: number): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return (
    `Salvor ${SALVOR_VERSION}, Node ${process.version}, Linux ${release()}, ${cpus().length} shared cores (${first?.model ?? 'unknown'}), ${memory}. ` +
    `Load average before ${loadBefore.toFixed(1)}, after ${(loadavg()[0] ?? 0).toFixed(1)}. Other work ran on the machine, so trust ratios and CPU seconds more than times.`
  );
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

export function verdict(what: string, value: number, target: number, format: (value: number) => string): string {
  return `${what}: ${format(value)}, target at most ${format(target)}: ${value <= target ? 'met' : 'missed'}`;
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
