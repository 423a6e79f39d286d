/** The operations that Temporal remembers. */
import type { OperationSummary } from '../../client/list.ts';
import { formatAge, formatDuration, type Look } from './format.ts';
import { type Cell, renderTable } from './table.ts';

const STYLES = { running: 'bold', completed: 'green', failed: 'red', terminated: 'red', 'timed out': 'red' } as const;
const HEAD = ['OPERATION', 'CLUSTER', 'STATUS', 'STARTED', 'TOOK', 'BY', 'WORKFLOW'];

export function renderOperations(operations: OperationSummary[], look: Look): string {
  if (operations.length === 0) return 'No operations.';
  return renderTable(
    HEAD,
    operations.map((operation) => row(operation, look)),
    look,
    { right: ['STARTED', 'TOOK'] },
  );
}

function row(
  { operation, cluster, status, startedAt, durationMs, startedBy, workflowId }: OperationSummary,
  look: Look,
): Cell[] {
  const style = Object.hasOwn(STYLES, status) ? STYLES[status as keyof typeof STYLES] : undefined;
  return [
    operation,
    cluster,
    style === undefined ? status : { text: status, style },
    formatAge(new Date(startedAt), look.now),
    durationMs === null ? '-' : formatDuration(durationMs),
    startedBy ?? '-',
    workflowId,
  ];
}
