/** `setup`. */
import type { Command } from 'commander';
import { action, withClient } from '../common.ts';
import { printResult } from '../output.ts';

export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('prepare a Temporal server once: its namespace and search attributes')
    .action(
      action(async (options) =>
        withClient(options, async (client) => {
          const report = await client.setup();
          printResult(options.output, report, () =>
            [
              `namespace ${report.namespace.name}: ${report.namespace.state}`,
              ...report.searchAttributes.map(({ name, state }) => `search attribute ${name}: ${state}`),
            ].join('\n'),
          );
          return 0;
        }),
      ),
    );
}
