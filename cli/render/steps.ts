/** The steps of an operation: one line each, the nodes of one step side by side. */
import type { Progress } from '../../domain/operations/progress.ts';
import { STEP_MARKS, type StepName, type StepRecord } from '../../domain/operations/steps.ts';
import { formatDuration, type Look, paint, plain } from './format.ts';

type State = StepRecord['state'];

const STYLES: Record<State, 'green' | 'red' | 'cyan' | 'dim'> = {
  waiting: 'dim',
  running: 'cyan',
  done: 'green',
  failed: 'red',
};

/** Which state stands for the steps of several nodes: the heaviest. */
const WEIGHT: Record<State, number> = { failed: 3, running: 2, waiting: 1, done: 0 };

/** Renders every step on a line, and the evidence of a failed step below it. */
export function renderSteps(steps: StepRecord[], look: Look): string {
  const groups = groupSteps(steps);
  const nameWidth = Math.max(0, ...groups.map((group) => group.name.length));
  const nodesWidth = Math.max(0, ...groups.map((group) => nodesText(group).length));
  return groups.flatMap((group) => renderGroup(group, { nameWidth, nodesWidth }, look)).join('\n');
}

interface Group {
  name: StepName;
  state: State;
  steps: StepRecord[];
}

/** Groups adjacent steps of the same name: one step on every node. */
function groupSteps(steps: StepRecord[]): Group[] {
  const groups: Group[] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    const repeated = last?.steps.some((other) => other.node === step.node);
    if (last?.name === step.name && step.node !== null && !repeated) last.steps.push(step);
    else groups.push({ name: step.name, state: step.state, steps: [step] });
  }
  for (const group of groups) group.state = stateOf(group.steps);
  return groups;
}

function stateOf(steps: StepRecord[]): State {
  const states = steps.map((step) => step.state);
  const heaviest = states.reduce((a, b) => (WEIGHT[b] > WEIGHT[a] ? b : a), 'done');
  // If some nodes are done and others still waiting, the step is running.
  return heaviest === 'waiting' && states.includes('done') ? 'running' : heaviest;
}

function renderGroup(group: Group, widths: { nameWidth: number; nodesWidth: number }, look: Look): string[] {
  const { state, steps } = group;
  const took = Math.max(...steps.map((step) => step.durationMs ?? -1));
  const time = took < 0 ? '' : formatDuration(took);
  const head = `${STEP_MARKS[state]} ${plain(group.name).padEnd(widths.nameWidth)}`;
  const nodes = nodesText(group);
  const padding = ' '.repeat(widths.nodesWidth - nodes.length);
  const room = look.columns - widths.nameWidth - widths.nodesWidth - 20;
  const line = [
    paint(look, STYLES[state], head),
    `${paintNodes(group, look)}${padding}`,
    time.padStart(11),
    paint(look, 'dim', clip(evidenceOf(group), room)),
  ].join('  ');
  const failures = steps.filter((step) => step.state === 'failed' && step.evidence !== null);
  return [
    line.trimEnd(),
    ...failures.map(({ node, evidence }) =>
      paint(look, 'red', `    ${node === null ? '' : `${node}: `}${plain(evidence ?? '')}`),
    ),
  ];
}

function nodesText({ steps }: Group): string {
  return steps.map((step) => nodeText(step)).join(' ');
}

function paintNodes({ steps }: Group, look: Look): string {
  return steps.map((step) => paint(look, STYLES[step.state], nodeText(step))).join(' ');
}

function nodeText({ node, state }: StepRecord): string {
  return node === null ? '' : `${plain(node)}${STEP_MARKS[state]}`;
}

/** The evidence; for several nodes only if it is the same on all. */
function evidenceOf({ steps, state }: Group): string {
  if (state === 'failed') return '';
  const seen = new Set(steps.map((step) => step.evidence));
  const [only] = seen;
  return seen.size === 1 && only ? plain(only) : '';
}

function clip(text: string, width: number): string {
  if (width < 10) return '';
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Renders one step on one line, for a log. */
export function renderStep(step: StepRecord, look: Look): string {
  const { name, node, state, durationMs, evidence } = step;
  const where = node === null ? '' : ` (${plain(node)})`;
  const took = durationMs === null ? '' : ` in ${formatDuration(durationMs)}`;
  const seen = evidence === null ? '' : `: ${plain(evidence)}`;
  return `${paint(look, STYLES[state], `${STEP_MARKS[state]} ${plain(name)}${where}`)}${took}${seen}`;
}

/** Renders what an operation is doing now, under a headline. */
export function renderProgress(headline: string, progress: Progress, look: Look): string {
  const elapsedMs = look.now.getTime() - new Date(progress.startedAt).getTime();
  const head = `${headline}  ${paint(look, 'dim', formatDuration(elapsedMs))}`;
  const waiting =
    progress.waitingFor === null ? [] : [paint(look, 'yellow', `Waiting for a person. ${plain(progress.waitingFor)}`)];
  const steps = progress.steps.length === 0 ? [] : [renderSteps(progress.steps, look)];
  return [head, ...steps, ...waiting].join('\n');
}
