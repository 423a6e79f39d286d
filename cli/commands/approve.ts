/** `approve`: a person approves the plan of a restore. */
import type { Command } from 'commander';
import { isApproval } from '../../domain/input.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { action, withClient } from '../common.ts';
import { requireName } from '../input.ts';
import { lookOf, note, printResult, UsageError } from '../output.ts';

export function addApprove(program: Command): void {
  program
    .command('approve')
    .description('approve the plan that a restore waits for; without a digest, shows the plan and asks you')
    .argument('<cluster>', 'its name in the configuration')
    .argument('[digest]', 'the digest of the plan that you have read')
    .action(
      action(async (options, cluster, digest?: string) => {
        requireName('cluster', cluster);
        if (digest !== undefined && (digest === 'auto' || isApproval(digest) !== undefined)) {
          throw new UsageError(
            `"digest": expected the digest of a plan: 12 hexadecimal digits; got ${JSON.stringify(digest)}`,
          );
        }
        return withClient(options, async (client) => {
          const handle = await client.holder(cluster);
          if (handle === undefined)
            throw new UsageError(`no operation holds "${cluster}"; nothing waits for an approval`);
          const approved = digest ?? (await read(options.output, cluster, await handle.plan()));
          const answer = await handle.approve(approved);
          const { workflowId } = handle;
          printResult(
            options.output,
            { cluster, workflowId, digest: approved, answer },
            () => `${answer}\nFollow it: salvor show ${workflowId}`,
          );
          return 0;
        });
      }),
    );
}

async function read(output: 'text' | 'json', cluster: string, plan: RestorePlan | undefined): Promise<string> {
  if (plan === undefined)
    throw new UsageError(`the operation that holds "${cluster}" has no plan; nothing waits for an approval`);
  const { askApproval, isSomebodyThere } = await import('../approval.ts');
  if (!isSomebodyThere(output)) {
    const { renderPlan } = await import('../render/plan.ts');
    note(renderPlan(plan, lookOf(process.stderr)));
    throw new UsageError(
      `this is not a terminal, so nobody can be asked; name the plan that you have read: salvor approve ${cluster} ${plan.digest}`,
    );
  }
  if (await askApproval(plan)) return plan.digest;
  throw new UsageError('not approved; the operation is still waiting');
}
