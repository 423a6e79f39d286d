/**
 * Backs up and restores three etcd members of the flavour `toy`, in a copy of the product that has this flavour.
 *   node test/support/toy-flavour/scenario.ts <an empty folder> <file>
 * It writes one JSON object to the file: the reports, and the members' keys after the restore.
 */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { provideTool } from '../../../adapters/binaries/binaries.ts';
import { controlPlaneFor } from '../../../adapters/flavours/index.ts';
import { hostFor } from '../../../adapters/hosts/find.ts';
import { parseConfiguration, resolveCluster } from '../../../domain/configuration/resolve.ts';
import { messageOf } from '../../../domain/errors.ts';
import type { BackupReport } from '../../../domain/operations/backup.ts';
import type { RestoreReport } from '../../../domain/operations/restore.ts';
import { MARK } from '../../../playground/processes.ts';
import { type MemberPlan, planMembers } from '../etcd-cluster.ts';
import { untilServing, withOperations } from '../service-cluster.ts';
import { startTemporal } from '../temporal.ts';
import { readKeys } from '../world.ts';

export interface ToyOutcome {
  /** Overrides the checks that would refuse a backup right after a change. */
  refused: string;
  backup: BackupReport;
  restore: RestoreReport;
  /** The keys of each member, before the backup and after the restore. */
  before: Record<string, string>[];
  after: Record<string, string>[];
}

const CLUSTER = 'toys';
const START_MS = 60_000;
const HOUR_MS = 3_600_000;

const [directory = '', outcomeFile = ''] = process.argv.slice(2);
const members = await planMembers(3, directory);
const etcd = (await provideTool('etcd')).path;
for (const member of members) await writeProgram(member);
const store = join(directory, 'backups');
await mkdir(store);
const configFile = join(directory, 'salvor.yaml');
const configuration = {
  stores: { local: { type: 'filesystem', path: store } },
  clusters: {
    [CLUSTER]: {
      flavour: 'toy',
      stores: ['local'],
      nodes: members.map(({ name, clientUrl, peerUrl, dataDir }, index) => ({
        name,
        address: `127.0.0.${index + 11}`,
        etcd: { clientUrl, peerUrl, dataDir },
      })),
    },
  },
};
await writeFile(configFile, JSON.stringify(configuration));
const cluster = resolveCluster(parseConfiguration(configuration, configFile), CLUSTER);
const temporal = await startTemporal();
const clients = members.map(({ clientUrl }) => new Etcd3({ hosts: clientUrl }));
try {
  await everyEtcd(async (component) => await component.start(AbortSignal.timeout(START_MS), START_MS));
  for (const { name, clientUrl } of members) await untilServing(name, clientUrl);
  await clients[0]?.put('/registry/kept').value('of the backup').exec();
  const before = await Promise.all(clients.map(readKeys));
  const outcome = await withOperations(temporal, configFile, async (run): Promise<ToyOutcome> => {
    const take = async () => await run<BackupReport>('backup', { cluster: CLUSTER });
    const refused = await take().then(
      () => 'it was taken',
      (error: unknown) => messageOf(error instanceof Error ? error.cause : error),
    );
    for (const { dataDir } of members) await wasWritten(`${dataDir}.run`, Date.now() - HOUR_MS);
    const backup = await take();
    await clients[0]?.delete().key('/registry/kept').exec();
    await clients[0]?.put('/registry/later').value('of after it').exec();
    const input = { cluster: CLUSTER, confirm: CLUSTER, approve: 'auto', backup: backup.backup };
    const restore = await run<RestoreReport>('restore', input);
    return { refused, backup, restore, before, after: await Promise.all(clients.map(readKeys)) };
  });
  await writeFile(outcomeFile, JSON.stringify(outcome));
} finally {
  for (const client of clients) client.close();
  await everyEtcd(async (component) => await component.stop(AbortSignal.timeout(START_MS), START_MS));
  await temporal.teardown();
}

/** The program that the toy starts. */
async function writeProgram({ name, clientUrl, peerUrl, dataDir }: MemberPlan): Promise<void> {
  const initialCluster = members.map((each) => `${each.name}=${each.peerUrl}`).join(',');
  const flags = [
    `--name=${name}`,
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${initialCluster}`,
    '--feature-gates=InitialCorruptCheck=true',
  ];
  await writeFile(`${dataDir}.run`, `#!/bin/sh\nexport ${MARK}=${directory}\nexec ${etcd} ${flags.join(' ')}\n`, {
    mode: 0o755,
  });
}

async function wasWritten(file: string, atMs: number): Promise<void> {
  await utimes(file, new Date(atMs), new Date(atMs));
}

async function everyEtcd(act: (etcd: ReturnType<typeof controlPlaneFor>['etcd']) => Promise<unknown>): Promise<void> {
  await Promise.all(
    cluster.nodes.map(async (node) => {
      const host = hostFor(node);
      try {
        await act(controlPlaneFor(cluster, node, host).etcd);
      } finally {
        await host.close();
      }
    }),
  );
}
