/** `playground up`, `status` and `down`. */
import type { Command } from 'commander';
import { action, untilInterrupted } from '../common.ts';
import { note, printResult } from '../output.ts';

export function addPlayground(program: Command): void {
  const playground = program
    .command('playground')
    .description('a whole small world on this machine: etcd, kube-apiservers, S3, Temporal and a worker');

  playground
    .command('up')
    .description('bring up what is missing')
    .option('--directory <path>', 'where it lives')
    .option('--kubernetes', 'with a kube-apiserver on each node; it is built when none is at hand')
    .option('--no-kubernetes', 'etcd alone')
    .action(
      action<{ directory?: string; kubernetes?: boolean }>(async ({ directory, kubernetes, output }) => {
        const { playgroundUp } = await import('../../../playground/playground.ts');
        return untilInterrupted(async (signal) => {
          const up = await playgroundUp({
            ...(directory !== undefined && { directory }),
            ...(kubernetes !== undefined && { kubernetes }),
            onProgress: note,
            signal,
          });
          const { renderPlayground } = await import('../render/playground.ts');
          // Without the keys of its store.
          const { configFile, temporalAddress, temporalUiUrl, temporalEnvironment } = up;
          const world = { directory: up.directory, configFile, temporalAddress, temporalUiUrl, temporalEnvironment };
          printResult(output, world, (look) => renderPlayground(world, look));
          return 0;
        });
      }),
    );

  playground
    .command('status')
    .description('what runs, where it answers and where its log is')
    .option('--directory <path>', 'where it lives')
    .action(
      action<{ directory?: string }>(async ({ directory, output }) => {
        const { playgroundStatus } = await import('../../../playground/playground.ts');
        const status = await playgroundStatus(directory);
        const { renderPlaygroundStatus } = await import('../render/playground.ts');
        printResult(output, status, (look) => renderPlaygroundStatus(status, look));
        return status.parts.every((part) => part.running) ? 0 : 1;
      }),
    );

  playground
    .command('down')
    .description('end everything and remove its files')
    .option('--directory <path>', 'where it lives')
    .option('--keep', 'keep the files, so that `up` goes on from them')
    .action(
      action<{ directory?: string; keep?: boolean }>(async ({ directory, keep = false, output }) => {
        const { playgroundDown } = await import('../../../playground/playground.ts');
        await playgroundDown(directory, { wipe: !keep });
        printResult(output, { down: true, kept: keep }, () => (keep ? 'down; its files are kept' : 'down'));
        return 0;
      }),
    );
}
