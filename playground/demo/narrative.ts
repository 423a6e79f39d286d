/** The demo's output. */
import { join, resolve } from 'node:path';
import type { Playground } from '../handle.ts';
import { defaultDirectory } from '../state.ts';
import type { Backup, Restore } from './reports.ts';

const startedAt = Date.now();

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Begins a chapter and prints the time since the start. */
export function chapter(title: string): void {
  say(`\n[${seconds(Date.now() - startedAt).padStart(7)}]  ${title}`);
}

/** A line of a chapter. */
export function detail(line: string): void {
  say(`            ${line}`);
}

/** A line of the command's progress; for a step that began and ended, only the end is shown. */
export function step(line: string): void {
  if (!line.includes(' ▶ ')) detail(line);
}

/** A duration for people. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Prints what was done, where everything is, and how to continue. */
export function summary(
  playground: Playground,
  backup: Backup,
  report: Restore,
  killedFor: number,
  compared: number,
): void {
  const { configFile, directory, localStore, s3, temporalUiUrl } = playground;
  chapter(`Done: ${compared} of ${compared} objects are back, on all of ${playground.nodes.length} nodes`);
  detail(`Backup           ${seconds(backup.durationMs)}`);
  detail(`Downtime         ${seconds(report.downtimeMs)}, with a worker that was dead for ${seconds(killedFor)} of it`);
  detail(`Revision         ${backup.revision} in the backup, ${report.revision.after} now: no client sees it go back`);
  for (const { kind, copies } of backup.artifacts) {
    for (const { store, key } of copies) {
      detail(`${kind.padEnd(16)} ${store === 'local' ? join(localStore, key) : `${s3.endpoint}/${s3.bucket}/${key}`}`);
    }
  }
  for (const { node, path } of report.setAside) detail(`Set aside on ${node}  ${path}`);
  detail(`Configuration    ${configFile}`);
  if (playground.kubeconfig) detail(`kubectl          --kubeconfig ${playground.kubeconfig}`);
  detail(`The operation    ${temporalUiUrl}/namespaces/default/workflows/${encodeURIComponent(report.workflowId)}`);
  say(
    `\nThe playground stays up. To look: bin/salvor playground status. To stop and remove it: ${downCommand(directory)}`,
  );
}

function downCommand(directory: string): string {
  return `bin/salvor playground down${directory === resolve(defaultDirectory()) ? '' : ` --directory ${directory}`}`;
}
