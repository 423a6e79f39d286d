/** The steps of all operations, by name. */
import type { ReplacementStep } from '../members/steps.ts';
import type { RestoreStep } from '../restore/steps.ts';
import type { BACKUP } from './backup.ts';
import type { CLEAN_UP } from './clean-up.ts';
import type { HEAL } from './heal.ts';
import type { PIN } from './pin.ts';
import type { PRUNE } from './prune.ts';
import type { AnyRow } from './row.ts';
import type { VERIFY } from './verify.ts';

/** `Prune <store>` stands for `Prune local`, `Prune offsite` and so on. */
type Filled<Name extends string> = Name extends `${infer Before}<store>${infer After}`
  ? `${Before}${string}${After}`
  : Name;

type StepOf<Row extends Pick<AnyRow, 'steps'>> = Filled<Row['steps'][number]>;

/** The names of all steps. The compiler refuses any other name, so announced, executed and shown steps are the same. */
export type StepName =
  | StepOf<typeof BACKUP | typeof PRUNE | typeof PIN | typeof VERIFY | typeof CLEAN_UP | typeof HEAL>
  | RestoreStep
  | ReplacementStep;

/** A step that is still to come. */
export interface ComingStep {
  name: StepName;
  /** The node, or null for the cluster as a whole. */
  node: string | null;
}

/** One step in the progress of an operation, for people. */
export interface StepRecord extends ComingStep {
  state: 'waiting' | 'running' | 'done' | 'failed';
  startedAt: string | null;
  durationMs: number | null;
  /** A short text that says what was seen. */
  evidence: string | null;
}

/** The mark of each state in a list. */
export const STEP_MARKS: Record<StepRecord['state'], string> = { waiting: '·', running: '▶', done: '✔', failed: '✖' };
