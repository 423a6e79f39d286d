/** `playground up`, `status` and `down`. */
import { type Command, Option } from 'commander';
import { action, untilInterrupted } from '../common.ts';
import { note, printResult } from '../output.ts';

export function addPlayground(program: Command): void {
  const playground = program
    .command('playground')
    .description('a complete small environment on this machine: etcd, kube-apiservers, S3, Temporal and a worker');

  playground
    .command('up')
    .description('start everything that is not running')
    .option('--directory <path>', 'its directory')
    .addOption(
      new Option(
        '--flavour <flavour>',
        'the control plane: etcd (etcd only), services (with kube-apiservers, built if there are none), or kubeadm (three nodes with kubelets over SSH; needs root and Debian). Default: services if a kube-apiserver is installed, else etcd',
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
          // The keys of its store are left out.
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
    .description('show what is running, its addresses and its logs')
    .option('--directory <path>', 'its directory')
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
    .description('stop everything and remove its files')
    .option('--directory <path>', 'its directory')
    .option('--keep', 'keep the files, so that `up` continues from them')
    .action(
      action<{ directory?: string; keep?: boolean }>(async ({ directory, keep = false, output }) => {
        const { playgroundDown } = await import('../../playground/playground.ts');
        await playgroundDown(directory, { wipe: !keep });
        printResult(output, { down: true, kept: keep }, () => (keep ? 'stopped; its files are kept' : 'down'));
        return 0;
      }),
    );
}
