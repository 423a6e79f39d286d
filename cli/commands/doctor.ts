/** `doctor`. */
import type { Command } from 'commander';
import { action, untilInterrupted, withClient } from '../common.ts';
import { requireName } from '../input.ts';
import { describeError, printResult } from '../output.ts';
import type { Check } from '../render/checks.ts';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check this machine, the connection to Temporal and the configuration; with a cluster, also everything that its operations need',
    )
    .argument('[cluster]', 'its name in the configuration')
    .action(
      action(async (options, cluster?: string) => {
        if (cluster !== undefined) requireName('cluster', cluster);
        const doctor = await import('../doctor.ts');
        const { checks: ofConfiguration, configuration } = await doctor.checkConfigurationHere(options.config);
        const checks = [doctor.checkNodeVersion(process.versions.node), ...ofConfiguration];
        try {
          await withClient(options, async (client) => {
            checks.push(...(await doctor.checkTemporal(client, new Date())));
            if (configuration !== undefined) {
              checks.push(...(await doctor.checkTemporalApart(client.place.address, configuration)));
            }
            if (cluster === undefined || checks.some(({ name, ok }) => name !== 'configuration' && !ok)) return;
            const handle = await client.checkCluster({ cluster });
            const { follow } = await import('../follow.ts');
            const { createQuietView } = await import('../views.ts');
            const report = await untilInterrupted((leave) => follow(client, handle, createQuietView(), leave));
            checks.push(
              ...(report?.checks ?? [{ name: cluster, ok: false, seen: 'you left before the checks had finished' }]),
            );
          });
        } catch (error) {
          checks.push(asCheck(error));
        }
        const { renderChecks } = await import('../render/checks.ts');
        printResult(options.output, { cluster: cluster ?? null, checks }, (look) => renderChecks(checks, look));
        return checks.every(({ ok }) => ok) ? 0 : 1;
      }),
    );
}

function asCheck(thrown: unknown): Check {
  const { error } = describeError(thrown);
  const name = error.type === 'TemporalUnreachable' ? 'Temporal' : error.type;
  return { name, ok: false, seen: error.message, advice: error.act };
}
