/** What a restore will do, for the person who approves it. */
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { renderChanges } from './changes.ts';
import { formatBytes } from '../../domain/units.ts';
import { formatAge, formatCount, formatDuration, formatTime, type Look, paint, plain } from './format.ts';
import { renderFacts, renderTable } from './table.ts';

export function renderPlan(plan: RestorePlan, look: Look): string {
  const { cluster, backup, digest, proof, trial, before, revisionGap, expectedDowntimeMs, warnings, versions } = plan;
  const takenAt = new Date(plan.takenAt);
  return [
    `${paint(look, 'bold', `Plan ${digest}`)}: restore ${plain(cluster)} from ${paint(look, 'bold', backup)}`,
    renderFacts(
      [
        ['taken', `${formatTime(takenAt, look)}, ${formatAge(takenAt, look.now)}`],
        ['proof', `${proof ?? 'none'}; a trial restore of these bytes passed: ${trialSaw(trial)}`],
        ['revision', revisionText(before.revision, trial.revision, revisionGap)],
        ['etcd', `${versions.snapshot ?? 'unknown'} in the backup; ${membersText(versions.members)}`],
        [
          'downtime',
          expectedDowntimeMs === null
            ? 'unknown: no earlier restore is on record'
            : `about ${formatDuration(expectedDowntimeMs)}, as in earlier restores`,
        ],
      ],
      look,
    ),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => paint(look, 'yellow', `! ${plain(warning)}`))]),
    '',
    renderTable(
      ['node', 'address', 'etcd', 'kube-apiserver', 'data', 'free', 'tool'],
      plan.nodes.map(({ name, address, etcd, apiServer, dataDir, freeBytes, etcdutl }) => [
        name,
        address,
        etcd,
        apiServer ?? '-',
        dataDir,
        formatBytes(freeBytes),
        etcdutl,
      ]),
      look,
    ),
    '',
    ...(plan.changes === null ? [] : [renderChanges(plan.changes, look), '']),
    ...renderStepList(plan.steps, look),
  ].join('\n');
}

function trialSaw({ store, totalKeys, hashAgrees }: RestorePlan['trial']): string {
  return `${formatCount(totalKeys)} keys from ${store}${hashAgrees === true ? ', HashKV as at the source' : ''}`;
}

function revisionText(live: string | null, snapshot: string, gap: string | null): string {
  if (live === null || gap === null) return `${snapshot} in the backup; the live revision is unknown`;
  return `${snapshot} in the backup, ${live} live: ${gap} later revisions will be lost`;
}

function membersText(members: RestorePlan['versions']['members']): string {
  const versions = new Set(members.map(({ version }) => version));
  if (versions.size === 0) return 'no member answers';
  if (versions.size === 1) return `${[...versions].join('')} on ${members.map(({ node }) => node).join(', ')}`;
  return members.map(({ node, version }) => `${version} on ${node}`).join(', ');
}

/** One line for each step, with its nodes. */
function renderStepList(steps: RestorePlan['steps'], look: Look): string[] {
  const names = [...new Set(steps.map(({ name }) => name))];
  return names.map((name, index) => {
    const nodes = steps.filter((step) => step.name === name).flatMap(({ node }) => (node === null ? [] : [node]));
    const place = nodes.length === 0 ? '' : paint(look, 'dim', `  ${nodes.join(', ')}`);
    return `  ${String(index + 1).padStart(2)}. ${name}${place}`;
  });
}
