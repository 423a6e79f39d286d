/** `retry`, `rollback` and `abort`: a person's decision about a waiting operation. */
import type { Command } from 'commander';
import type { Decision } from '../../domain/operations/common.ts';
import { action, withClient } from '../common.ts';
import { requireName } from '../input.ts';
import { printResult, UsageError } from '../output.ts';

const DESCRIPTIONS: Record<Decision, string> = {
  retry: 'tell a waiting operation to try the failed step again',
  rollback: 'tell a waiting operation to put the cluster back as it was',
  abort: 'tell a waiting operation to end and leave everything as it is',
};

export function addRetry(program: Command): void {
  addDecision(program, 'retry');
}

export function addRollback(program: Command): void {
  addDecision(program, 'rollback');
}

export function addAbort(program: Command): void {
  addDecision(program, 'abort');
}

function addDecision(program: Command, decision: Decision): void {
  program
    .command(decision)
    .description(DESCRIPTIONS[decision])
    .argument('<cluster>', 'its name in the configuration')
    .action(
      action(async (options, cluster) => {
        requireName('cluster', cluster);
        return withClient(options, async (client) => {
          const handle = await client.holder(cluster);
          if (handle === undefined)
            throw new UsageError(`no operation holds "${cluster}"; nothing waits for a decision`);
          const answer = await handle.decide(decision);
          const { workflowId } = handle;
          printResult(
            options.output,
            { cluster, workflowId, decision, answer },
            () => `${answer}\nFollow it: salvor show ${workflowId}`,
          );
          return 0;
        });
      }),
    );
}
