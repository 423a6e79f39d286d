/** `playground up`, `status` and `down`. */
import { type Command, Option } from 'commander';
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
    .addOption(
      new Option(
        '--flavour <flavour>',
        'its control plane: etcd alone; services, with kube-apiservers, which are built when none is at hand; or kubeadm, three nodes with kubelets over SSH (root, Debian). Default: services when a kube-apiserver is at hand, else etcd',
      ).choices(['etcd', 'services', 'kubeadm']),
    )
    .action(
      action<{ directory?: string; flavour?: string }>(async ({ directory, flavour, output }) => {
        const { playgroundUp } = await import('../../playground/playground.ts');
        return untilInterrupted(async (signal) => {
          const up = await playgroundUp({
            ...(directory !== undefined && { directory }),
            ...(flavour !== undefined && { kubernetes: flavour === 'services', lab: flavour === 'kubeadm' }),
            onProgress: note,
            signal,
          });
          const { renderPlayground } = await import('../render/playground.ts');
          // Without the keys of its store.
          const { configFile, temporalAddress, temporalUiUrl, temporalEnvironment, lab } = up;
          const kubeconfig = lab?.kubeconfig ?? up.kubeconfig;
          const world = {
            directory: up.directory,
            configFile,
            temporalAddress,
            temporalUiUrl,
            temporalEnvironment,
            ...(kubeconfig !== undefined && { kubeconfig }),
            ...(lab && { ssh: lab.nodes.map(({ name }) => ['ssh', '-F', lab.ssh.configFile, name]) }),
          };
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
        const { playgroundStatus } = await import('../../playground/playground.ts');
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
        const { playgroundDown } = await import('../../playground/playground.ts');
        await playgroundDown(directory, { wipe: !keep });
        printResult(output, { down: true, kept: keep }, () => (keep ? 'down; its files are kept' : 'down'));
        return 0;
      }),
    );
}
