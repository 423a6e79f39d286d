/** What a restore did. */
import type { RestoreReport } from '../../../domain/operations.ts';
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
    '',
    renderSteps(report.steps, look),
  ].join('\n');
}

const STOP_API_SERVER = 'Stop kube-apiserver';

const OUTCOMES: Record<RestoreReport['outcome'], string> = {
  restored: 'Restored',
  'rolled-back': 'Rolled back',
  aborted: 'Aborted',
};
