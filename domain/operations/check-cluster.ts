/** The operation that checks everything that operations need: its input, its report and its row. */
import { isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface CheckClusterInput {
  cluster: string;
}

export interface CheckClusterReport {
  cluster: string;
  checks: { name: string; ok: boolean; seen: string; advice?: string }[];
}

export const CHECK_CLUSTER = {
  title: 'Check',
  effect: 'looks',
  schedulable: false,
  shape: { required: { cluster: isName }, optional: {} },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: [],
} as const satisfies OperationRow<CheckClusterInput, CheckClusterReport>;
