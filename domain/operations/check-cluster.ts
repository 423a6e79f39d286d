/** Looks at everything that operations need: what goes in, what comes out, and what is known of it. */
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
