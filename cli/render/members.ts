/** The members of a cluster, and what was done to one of them. */
import type { MemberEntry, Quorum } from '../../domain/members/member-entry.ts';
import type { ListMembersReport } from '../../domain/operations/list-members.ts';
import type { ReplaceMemberReport } from '../../domain/operations/replace-member.ts';
import { formatBytes } from '../../domain/units.ts';
import { formatCount, type Look, paint, plain } from './format.ts';
import { renderSteps } from './steps.ts';
import { type Cell, renderFacts, renderTable } from './table.ts';

const HEAD = [
  'NODE',
  'MEMBER',
  'ID',
  'STATE',
  'ROLE',
  'VERSION',
  'SIZE',
  'IN USE',
  'REVISION',
  'LAG',
  'HASH',
  'ALARMS',
];
const RIGHT = ['SIZE', 'IN USE', 'REVISION', 'LAG'];

export function renderMembers({ cluster, members, quorum }: ListMembersReport, look: Look): string {
  return [
    quorum === null
      ? paint(look, 'red', `No member of ${plain(cluster)} answers.`)
      : renderQuorum(cluster, quorum, look),
    renderMemberTable(members, look),
    ...members
      .filter(({ state }) => state !== 'healthy')
      .map(({ node, name, seen }) => paint(look, 'yellow', `! ${plain(node ?? name)}: ${plain(seen)}`)),
  ].join('\n');
}

function renderQuorum(cluster: string, { voters, needed, up }: Quorum, look: Look): string {
  const text = `${plain(cluster)}: ${up} of ${voters} voting members are up, ${needed} needed`;
  return up >= needed ? text : paint(look, 'red', `${text}: quorum is lost`);
}

function renderMemberTable(members: MemberEntry[], look: Look): string {
  return renderTable(HEAD, members.map(row), look, { right: RIGHT });
}

function row(entry: MemberEntry): Cell[] {
  const { node, name, id, state, role, version, dbSizeBytes, dbSizeInUseBytes, revision, raftLag, hash, alarms } =
    entry;
  return [
    node ?? '-',
    name || '-',
    id ?? '-',
    { text: state, style: state === 'healthy' ? 'green' : 'red' },
    role === 'leader' ? { text: role, style: 'bold' } : (role ?? '-'),
    version ?? '-',
    dbSizeBytes === null ? '-' : formatBytes(dbSizeBytes),
    dbSizeInUseBytes === null ? '-' : formatBytes(dbSizeInUseBytes),
    revision ?? '-',
    raftLag === null ? '-' : formatCount(raftLag),
    hash === 'differs' ? { text: hash, style: 'red' } : (hash ?? '-'),
    alarms.length === 0 ? '-' : { text: alarms.join(', '), style: 'red' },
  ];
}

export function renderReplacement(report: ReplaceMemberReport, look: Look): string {
  const { cluster, node, outcome, problem, found, removed, added, backup, setAside, toDo } = report;
  const style = outcome === 'replaced' ? 'green' : 'yellow';
  const facts: [string, string | string[]][] = [
    ...(problem === null ? [] : [['because of', plain(problem)] satisfies [string, string]]),
    ['it was', `${found.state}: ${plain(found.seen)}`],
    [
      'removed',
      removed === null
        ? 'nothing'
        : `member ${removed.id}, ${removed.name || 'never started'}, ${removed.peerUrls.join(', ')}`,
    ],
    ['added', added === null ? 'nothing' : `member ${added}`],
    ['backup', backup],
    ...(setAside.length > 0
      ? [['kept', setAside.map((kept) => `${kept.node}: ${kept.path}`)] satisfies [string, string[]]]
      : []),
    ...(toDo.length > 0 ? [['left to do', toDo] satisfies [string, string[]]] : []),
    ['workflow', report.workflowId],
  ];
  return [
    paint(look, style, `${OUTCOMES[outcome]} ${plain(node)} of ${plain(cluster)}`),
    renderFacts(facts, look),
    '',
    'before',
    renderMemberTable(report.before, look),
    '',
    ...(report.after === null ? [] : ['after', renderMemberTable(report.after, look), '']),
    renderSteps(report.steps, look),
  ].join('\n');
}

const OUTCOMES: Record<ReplaceMemberReport['outcome'], string> = {
  replaced: 'Replaced the member on',
  'rolled-back': 'Rolled back: the member on',
  aborted: 'Aborted: the member on',
};
