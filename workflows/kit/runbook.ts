/** The steps of an operation as people see them: the `progress` query and the workflow's current details. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../domain/operations/common.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import { type ComingStep, STEP_MARKS, type StepName, type StepRecord } from '../../domain/operations/steps.ts';
import type { Operation } from '../../domain/operations/index.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { failureTypeOf, reasonOf } from './failure.ts';
import type { Hold } from './hold-cluster.ts';
import type { Person } from './person.ts';
import { seconds } from './words.ts';

const CLUSTER = defineSearchAttributeKey(SEARCH_ATTRIBUTES.cluster, 'KEYWORD');
const OPERATION = defineSearchAttributeKey(SEARCH_ATTRIBUTES.operation, 'KEYWORD');

export const progressQuery = defineQuery<Progress>('progress');
/** The plan that waits for approval or was approved. */
export const planQuery = defineQuery<RestorePlan>('plan');

/** Lets people and programs query the plan of an operation. */
export function showPlan(plan: RestorePlan): void {
  setHandler(planQuery, () => plan);
}

type Tell = (seen: string) => void;

type OnNodes = <N extends { name: string }, T>(
  name: StepName,
  nodes: N[],
  act: (node: N) => Promise<T>,
  evidence: (result: T) => string,
) => Promise<T[]>;

export interface Runbook {
  /** The steps so far, for the report. */
  readonly steps: StepRecord[];
  /** Shows steps that are still to come. */
  announce(steps: readonly ComingStep[]): void;
  /**
   * Does one step, and records when and where it ran and what it showed.
   * @param act gets a function that shows evidence while the step runs
   * @param evidence what to show of the result, in a few words
   */
  step<T>(
    name: StepName,
    node: string | null,
    act: (tell: Tell) => Promise<T>,
    evidence: (result: T) => string,
  ): Promise<T>;
  /** Does a step on every node at once, and waits for all of them before it throws the first failure. */
  onEvery: OnNodes;
  /** Does a step on one node after the other; throws the first failure at once. */
  inTurn: OnNodes;
  /**
   * The same runbook, but its steps don't fail: a failed step waits for a person's decision and is done again, unless
   * the person abandons it.
   */
  insisting(person: Person, hold: Hold): Runbook;
  /** Shows the question to the person along with the steps. */
  asks(person: Person): void;
  /** Shows changes in anything but the steps. */
  show(): void;
}

/** Opens the record of an operation before its first step. */
export function openRunbook(operation: Operation, cluster: string): Runbook {
  let listening: Person | undefined;
  const steps: StepRecord[] = [];
  const startedAt = new Date(workflowInfo().startTime).toISOString();

  // An operation that was started in the Temporal UI must be listed among the cluster's operations as well.
  upsertSearchAttributes([
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: operation },
  ]);

  function show(): void {
    const waitingFor = listening?.waitingFor();
    setCurrentDetails(`${waitingFor ? `**Waiting for a person.** ${waitingFor}\n\n` : ''}${asMarkdown(steps)}`);
  }

  function recordOf(name: StepName, node: string | null): StepRecord {
    // A failed step that is done again keeps its line.
    const announced = steps.find(
      (step) => step.name === name && step.node === node && (step.state === 'waiting' || step.state === 'failed'),
    );
    if (announced) return announced;
    const added: StepRecord = { name, node, state: 'waiting', startedAt: null, durationMs: null, evidence: null };
    // A new step goes before the announced steps that still wait.
    const next = steps.findIndex((step) => step.state === 'waiting');
    steps.splice(next === -1 ? steps.length : next, 0, added);
    return added;
  }

  async function step<T>(
    name: StepName,
    node: string | null,
    act: (tell: Tell) => Promise<T>,
    evidence: (result: T) => string,
  ): Promise<T> {
    const record = recordOf(name, node);
    const startMs = Date.now();
    record.state = 'running';
    record.startedAt = new Date(startMs).toISOString();
    show();
    try {
      const result = await act((seen) => {
        record.evidence = seen;
        show();
      });
      record.state = 'done';
      record.evidence = evidence(result);
      return result;
    } catch (error) {
      record.state = 'failed';
      record.evidence = reasonOf(error);
      throw error;
    } finally {
      record.durationMs = Date.now() - startMs;
      show();
    }
  }

  setHandler(progressQuery, () => {
    const running = steps.filter((step) => step.state === 'running');
    const doing = running.map((step) => (step.node === null ? step.name : `${step.name} (${step.node})`)).join(', ');
    const waitingFor = listening?.waitingFor() ?? null;
    const toApprove = listening?.toApprove();
    return { operation, cluster, startedAt, doing, waitingFor, ...(toApprove !== undefined && { toApprove }), steps };
  });

  async function insist<T>(person: Person, hold: Hold, place: string, act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        try {
          return await act();
        } catch (error) {
          if (failureTypeOf(error) !== 'HoldLost') throw error;
          await hold.takeAgain();
        }
      } catch (error) {
        await person.decide(`${place}: ${reasonOf(error)}`);
      }
    }
  }

  function runbookOf(doStep: Runbook['step']): Runbook {
    return {
      steps,
      show,
      announce(coming) {
        for (const { name, node } of coming) {
          steps.push({ name, node, state: 'waiting', startedAt: null, durationMs: null, evidence: null });
        }
        show();
      },
      step: doStep,
      async onEvery(name, nodes, act, evidence) {
        const outcomes = await Promise.allSettled(
          nodes.map((node) => doStep(name, node.name, () => act(node), evidence)),
        );
        return outcomes.map((outcome) => {
          if (outcome.status === 'rejected') throw outcome.reason;
          return outcome.value;
        });
      },
      async inTurn(name, nodes, act, evidence) {
        const results = [];
        for (const node of nodes) results.push(await doStep(name, node.name, () => act(node), evidence));
        return results;
      },
      asks(person) {
        listening = person;
      },
      insisting(person, hold) {
        listening = person;
        return runbookOf(async (name, node, act, evidence) => {
          const place = node === null ? name : `${name} (${node})`;
          return await insist(person, hold, place, async () => await step(name, node, act, evidence));
        });
      },
    };
  }

  return runbookOf(step);
}

/**
 * The steps as a table for the Temporal UI. The UI wraps at every space and puts no room between columns, so the table
 * uses non-breaking spaces and adds the room itself.
 */
export function asMarkdown(steps: StepRecord[]): string {
  const rows = steps.map(({ state, name, node, durationMs, evidence }) => {
    const took = durationMs === null ? '' : seconds(durationMs);
    const narrow = [STEP_MARKS[state], name, node ?? '', took].map((cell) => `${cell}  `.replaceAll(' ', '\u00a0'));
    return `| ${[...narrow, (evidence ?? '').replaceAll(/[|\n\r]+/g, ' ')].join(' | ')} |`;
  });
  return ['| | step | node | took | seen |', '| --- | :-- | :-- | --: | :-- |', ...rows].join('\n');
}
