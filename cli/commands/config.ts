/** `config check`, `config schema` and `config print`. */
import type { Command } from 'commander';
import { action } from '../common.ts';
import { note, printResult } from '../output.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('the configuration: salvor.yaml');

  config
    .command('check')
    .description('show every problem and warning, with its line')
    .action(
      action(async (options) => {
        const { requireConfiguration } = await import('../../adapters/configuration/find.ts');
        const { readConfiguration } = await import('../../adapters/configuration/load.ts');
        const path = await requireConfiguration(options.config);
        const { configuration, problems, warnings } = await readConfiguration(path);
        const valid = configuration !== undefined;
        const { renderConfigurationCheck } = await import('../render/configuration.ts');
        const clusters = Object.keys(configuration?.clusters ?? {});
        const report = { path, valid, clusters, problems, warnings };
        printResult(options.output, report, (look) => renderConfigurationCheck(report, look));
        return valid ? 0 : 2;
      }),
    );

  config
    .command('schema')
    .description('print the JSON schema of salvor.yaml, for editors')
    .action(
      action(async () => {
        const { configurationJsonSchema } = await import('../../domain/configuration/schema.ts');
        printResult('json', configurationJsonSchema(), () => '');
        return 0;
      }),
    );

  config
    .command('print')
    .description('print the configuration with every default filled in; secrets stay references')
    .argument('[cluster]', 'only this cluster')
    .action(
      action(async (options, cluster?: string) => {
        const { requireConfiguration } = await import('../../adapters/configuration/find.ts');
        const { loadConfiguration } = await import('../../adapters/configuration/load.ts');
        const { resolveCluster } = await import('../../domain/configuration/resolve.ts');
        const configuration = await loadConfiguration(await requireConfiguration(options.config));
        const names = cluster === undefined ? Object.keys(configuration.clusters) : [cluster];
        const clusters = names.map((name) => resolveCluster(configuration, name));
        if (options.output === 'json') {
          printResult('json', { clusters }, () => '');
        } else {
          const { stringify } = await import('yaml');
          printResult('text', undefined, () => stringify({ clusters }, { aliasDuplicateObjects: false }).trimEnd());
        }
        if (clusters.length === 0) note('The configuration has no clusters.');
        return 0;
      }),
    );
}
