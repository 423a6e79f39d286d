/** Shows each operation's report, and maps it to an exit status: 0 done, 1 failed, 3 degraded. */
import { isSkipped } from '../domain/operations/common.ts';
import type { Operation, ReportOf } from '../domain/operations/index.ts';
import { renderBackup } from './render/backup.ts';
import { renderBackups } from './render/backups.ts';
import { renderChecks } from './render/checks.ts';
import { renderCleanUp } from './render/cleanup.ts';
import { type Look, paint, plain } from './render/format.ts';
import { renderHeal } from './render/heal.ts';
import { renderMembers, renderReplacement } from './render/members.ts';
import { renderPlan } from './render/plan.ts';
import { renderPin, renderPrune } from './render/prune.ts';
import { renderRestore } from './render/restore.ts';
import { renderVerify } from './render/verify.ts';

type ExitStatus = 0 | 1 | 3;

interface Presentation<O extends Operation> {
  text: (report: ReportOf<O>, look: Look) => string;
  exit: (report: ReportOf<O>) => ExitStatus;
}

const PRESENTATIONS: { [O in Operation]: Presentation<O> } = {
  backup: { text: renderBackup, exit: ({ state }) => (state === 'complete' ? 0 : 3) },
  listBackups: { text: renderBackups, exit: ({ unreadable }) => (unreadable.length === 0 ? 0 : 3) },
  planRestore: { text: renderPlan, exit: () => 0 },
  cleanUp: { text: renderCleanUp, exit: () => 0 },
  restore: { text: renderRestore, exit: ({ outcome }) => (outcome === 'restored' ? 0 : 1) },
  prune: { text: renderPrune, exit: exitOfPrune },
  pin: { text: renderPin, exit: () => 0 },
  heal: { text: renderHeal, exit: exitOfHeal },
  // A fault in the backup itself fails the operation, so a check that is not ok here means an unreadable store.
  verify: { text: renderVerify, exit: ({ checks }) => (checks.every(({ ok }) => ok) ? 0 : 3) },
  listMembers: { text: renderMembers, exit: exitOfMembers },
  replaceMember: { text: renderReplacement, exit: ({ outcome }) => (outcome === 'replaced' ? 0 : 1) },
  checkCluster: {
    text: ({ checks }, look) => renderChecks(checks, look),
    exit: ({ checks }) => (checks.every((check) => check.ok) ? 0 : 1),
  },
};

function exitOfPrune({ stores, hold, dryRun }: ReportOf<'prune'>): ExitStatus {
  if (stores.some(({ error }) => error !== undefined)) return 1;
  const isLeft = !dryRun && stores.some(({ more }) => more !== undefined && more.removed + more.orphans > 0);
  return hold === null && !isLeft ? 0 : 3;
}

function exitOfHeal({ failed, more, unreadable }: ReportOf<'heal'>): ExitStatus {
  if (failed.length > 0) return 1;
  return more === 0 && unreadable.length === 0 ? 0 : 3;
}

/** Degraded if any member needs attention; failed without a quorum. */
function exitOfMembers({ members, quorum }: ReportOf<'listMembers'>): ExitStatus {
  if (quorum === null || quorum.up < quorum.needed) return 1;
  return members.every(({ state }) => state === 'healthy') ? 0 : 3;
}

/** Renders the report as text for people. */
export function renderReport<O extends Operation>(operation: O, report: ReportOf<O>, look: Look): string {
  if (isSkipped(report))
    return `${paint(look, 'yellow', `Skipped: ${plain(report.reason)}`)}\nThe next scheduled run will start as usual.`;
  return PRESENTATIONS[operation].text(report, look);
}

export function exitStatusOf<O extends Operation>(operation: O, report: ReportOf<O>): ExitStatus {
  // Only a schedule's run can be skipped; a person who starts an operation gets a failure instead.
  if (isSkipped(report)) return 3;
  return PRESENTATIONS[operation].exit(report);
}
