/**
 * The lab from the command line.
 *
 *   npm run lab:up [-- --nodes 1|3] [--directory D]     brings the lab up and installs missing Debian packages
 *   npm run lab:reset [-- --nodes 1|3] [--directory D]  replaces the cluster by a fresh one
 *   npm run lab:down [-- --directory D]
 *   node playground/lab/main.ts status|missing                what is up; what this machine lacks
 */
import { parseArgs } from 'node:util';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { run } from './commands.ts';
import { type Lab, labDown, labMissing, type LabOptions, labReset, labStatus, labUp } from './lab.ts';
import { missingPackages, PACKAGES_SCRIPT } from './missing.ts';

const PACKAGES_MS = 600_000;

async function main(): Promise<void> {
  const startedAt = performance.now();
  const { values, positionals } = parseArgs({
    options: { nodes: { type: 'string' }, directory: { type: 'string' } },
    allowPositionals: true,
  });
  const onProgress = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);
  };
  const options: LabOptions = { onProgress, ...sizeIn(values.nodes) };
  if (values.directory !== undefined) options.directory = values.directory;
  switch (positionals[0]) {
    case 'up':
      await installPackages(onProgress);
      return describe(await labUp(options), onProgress);
    case 'reset':
      return describe(await labReset(options), onProgress);
    case 'down':
      await labDown(options);
      return onProgress('down');
    case 'status': {
      const { directory, nodes } = await labStatus(values.directory);
      if (nodes.length === 0) process.stdout.write(`no lab in ${directory}\n`);
      for (const { name, address, up } of nodes) process.stdout.write(`${name} ${address} ${up ? 'up' : 'down'}\n`);
      return;
    }
    case 'missing':
      for (const reason of await labMissing(values.directory)) process.stdout.write(`${reason}\n`);
      return;
    default:
      throw new SalvorError(
        'InvalidInput',
        `expected up, reset, down, status or missing, got ${positionals[0] ?? 'nothing'}`,
      );
  }
}

async function installPackages(report: (line: string) => void): Promise<void> {
  const packages = (await missingPackages()) ?? [];
  if (packages.length === 0 || process.getuid?.() !== 0) return;
  report(`installing ${packages.join(', ')}`);
  await run([PACKAGES_SCRIPT], { timeoutMs: PACKAGES_MS });
}

function sizeIn(text: string | undefined): { nodes?: 1 | 3 } {
  if (text === undefined) return {};
  if (text === '1') return { nodes: 1 };
  if (text === '3') return { nodes: 3 };
  throw new SalvorError('InvalidInput', `--nodes ${text}: expected 1 or 3`);
}

function describe(lab: Lab, report: (line: string) => void): void {
  report('ready');
  for (const { name } of lab.nodes) process.stdout.write(`ssh -F ${lab.ssh.configFile} ${name}\n`);
  process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
