/**
 * Records how long operations take and how they end, as metrics. It is an interceptor of every workflow, so the
 * operations contain none of this.
 */
import {
  isCancellation,
  metricMeter,
  TemporalFailure,
  type WorkflowInterceptors,
  workflowInfo,
} from '@temporalio/workflow';
import { OPERATION_DURATION, OPERATION_FAILURES } from '../../domain/metrics.ts';
import { isSkipped } from '../../domain/operations/common.ts';
import { isOperation, type Operation, type ReportOf, rowOf } from '../../domain/operations/index.ts';
import { failureTypeOf } from './failure.ts';

export function interceptors(): WorkflowInterceptors {
  const { workflowType, startTime } = workflowInfo();
  if (!isOperation(workflowType)) return {};
  /** Always a name from the configuration: free input must not become a label. */
  let cluster = '';

  function record(outcome: string): void {
    const seconds = Math.max(0, (Date.now() - startTime.getTime()) / 1000);
    metricMeter
      .createHistogram(OPERATION_DURATION, 'float', '', 'From the start of an operation to its end')
      .record(seconds, { cluster, operation: workflowType, outcome });
  }

  return {
    inbound: [
      {
        async execute(input, next) {
          try {
            const report = await next(input);
            record(outcomeOf(workflowType, report));
            return report;
          } catch (error) {
            if (isCancellation(error)) {
              record('cancelled');
            } else if (error instanceof TemporalFailure) {
              record('failed');
              metricMeter
                .createCounter(OPERATION_FAILURES, '', 'Operations that failed, by the type of the failure')
                .add(1, { cluster, operation: workflowType, type: failureTypeOf(error) ?? 'Other' });
            }
            throw error;
          }
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          const result = next(input);
          // This only listens to the result and doesn't delay it: the order of the workflow's commands must stay as in
          // its history.
          if (input.activityType === 'readCluster') result.then(remember, () => undefined);
          return result;
        },
      },
    ],
  };

  function remember(found: unknown): void {
    if (typeof found === 'object' && found !== null && 'name' in found) cluster = String(found.name);
  }
}

function outcomeOf(operation: Operation, report: unknown): string {
  if (isSkipped(report)) return report.state;
  // The report comes from the workflow of this operation.
  return rowOf(operation).endOf(report as ReportOf<Operation>);
}
