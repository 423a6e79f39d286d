/** `operations` and `show`. */
import type { Command } from 'commander';
import { isOperation } from '../../domain/operations/index.ts';
import { action, type CommonOptions, withClient } from '../common.ts';
import { requireName } from '../input.ts';
import { printResult, UsageError, WAITING } from '../output.ts';

interface OperationsOptions extends CommonOptions {
  limit: string;
  all?: boolean;
}

export function addOperations(program: Command): void {
  program
    .command('operations')
    .description('list operations, newest first')
    .argument('[cluster]', 'only this cluster')
    .option('--limit <count>', 'how many to list', '20')
    .option('--all', 'include operations that only looked')
    .action(
      action<OperationsOptions>(async (options, cluster?: string) => {
        const { limit, all = false, output } = options;
        if (cluster !== undefined) requireName('cluster', cluster);
        if (!/^[1-9]\d{0,3}$/.test(limit)) throw new UsageError(`--limit ${limit}: expected a number from 1 to 9999`);
        return withClient(options, async (client) => {
          const operations = await client.operations({
            limit: Number(limit),
            all,
            ...(cluster !== undefined && { cluster }),
          });
          const { renderOperations } = await import('../render/operations.ts');
          printResult(output, { operations }, (look) => renderOperations(operations, look));
          return 0;
        });
      }),
    );
}

export function addShow(program: Command): void {
  program
    .command('show')
    .description('follow an operation to its end, or show how it ended; with --detach, show only its current state')
    .argument('<workflow>', 'a workflow ID from `salvor operations`')
    .action(
      action(async (options, workflowId) =>
        withClient(options, async (client) => {
          const handle = client.operation(workflowId);
          const { type: operation, status } = await handle.describe();
          if (!isOperation(operation))
            throw new UsageError(`"${workflowId}" is not an operation; it is a "${operation}"`);
          if (options.detach && status.name === 'RUNNING') {
            const progress = await handle.progress();
            const { renderProgress } = await import('../render/steps.ts');
            printResult(options.output, { workflowId, progress: progress ?? null }, (look) =>
              progress === undefined
                ? 'It is running, but no worker reports what it is doing.'
                : renderProgress(workflowId, progress, look),
            );
            return progress?.waitingFor ? WAITING : 0;
          }
          const { followToEnd } = await import('../operate.ts');
          return followToEnd(options, client, operation, handle, operation);
        }),
      ),
    );
}
