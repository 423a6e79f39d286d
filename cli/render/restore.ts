/** The result of a restore. */
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { StepName } from '../../domain/operations/steps.ts';
import { formatDuration, type Look, paint, plain } from './format.ts';
import { renderSteps } from './steps.ts';
import { renderFacts } from './table.ts';

export function renderRestore(report: RestoreReport, look: Look): string {
  const { cluster, backup, outcome, problem, revision, clusterId, setAside } = report;
  const style = outcome === 'restored' ? 'green' : 'yellow';
  const stopped = report.steps.some((step) => step.name === STOP_API_SERVER) ? 'kube-apiserver' : 'etcd';
  const aside = setAside.map(({ node, path }) => `${node}: ${path}`);
  return [
    `${paint(look, style, `${OUTCOMES[outcome]} ${plain(cluster)}`)} ${outcome === 'restored' ? 'from' : 'after a restore of'} ${paint(look, 'bold', backup)}`,
    renderFacts(
      [
        ...(problem === null ? [] : [['because of', plain(problem)] satisfies [string, string]]),
        ['downtime', `${formatDuration(report.downtimeMs)} of ${stopped}`],
        [
          'revision',
          `${revision.before ?? 'unknown'} before, ${revision.snapshot} in the backup, ${revision.after ?? 'as before'} now`,
        ],
        ['cluster ID', `${clusterId.before ?? 'unknown'} before, ${clusterId.after ?? 'as before'} now`],
        ...(aside.length > 0
          ? [[outcome === 'rolled-back' ? 'restored data' : 'old data', aside] satisfies [string, string[]]]
          : []),
        ['workflow', report.workflowId],
      ],
      look,
    ),
    ...renderAftercare(report.aftercare ?? [], look),
    '',
    renderSteps(report.steps, look),
  ].join('\n');
}

/** What was fixed, and what is left to a person with advice on what to do. */
function renderAftercare(found: NonNullable<RestoreReport['aftercare']>, look: Look): string[] {
  const worth = found.filter(({ state }) => state !== 'fine');
  if (worth.length === 0) return [];
  const lines = worth.map(({ what, state, detail, advice }) => {
    const mark =
      state === 'mended' ? paint(look, 'green', '✔ mended') : paint(look, 'yellow', `! ${state.replace('-', ' ')}`);
    return `  ${mark}  ${plain(what)}: ${plain(detail)}${advice === undefined ? '' : `\n      → ${plain(advice)}`}`;
  });
  return ['', paint(look, 'bold', 'Found afterwards'), ...lines];
}

const STOP_API_SERVER: StepName = 'Stop kube-apiserver';

const OUTCOMES: Record<RestoreReport['outcome'], string> = {
  restored: 'Restored',
  'rolled-back': 'Rolled back',
  aborted: 'Aborted',
};
