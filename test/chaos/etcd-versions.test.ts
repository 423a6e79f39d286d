/** Clusters of other etcd releases are backed up, proven and restored, each by the tool of its own release. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Etcd3 } from 'etcd3';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { etcdutlOn } from '../../adapters/snapshots/find-etcdutl.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { provideTool, type ToolName } from '../../adapters/binaries/binaries.ts';
import { debianEtcd } from '../support/debian-etcd.ts';
import { CLUSTER, serviceCluster, withOperations } from '../support/service-cluster.ts';
import { startTemporal } from '../support/temporal.ts';
import { putKeys, readKeys } from '../support/world.ts';

const MORE_THAN_ANY_CLIENT_HAS_SEEN = 1_000_000;

interface Release {
  name: string;
  /** The tool that must have written the data directories. */
  tool: RegExp;
  raisesRevision: boolean;
  skip: string | false;
  /** A folder that holds etcd and its tool, as a package or an image does. */
  folder(): Promise<string>;
}

const debian = await debianEtcd();
const directory = await mkdtemp(join(tmpdir(), 'salvor-versions-'));

/** Copies under their own names: in the cache the names tell the release. */
async function folderOf(tools: Record<string, ToolName>): Promise<string> {
  const folder = await mkdtemp(join(directory, 'release-'));
  for (const [name, tool] of Object.entries(tools)) await copyFile((await provideTool(tool)).path, join(folder, name));
  return folder;
}

const release35 = async () => await folderOf({ etcd: 'etcd35', etcdutl: 'etcdutl35' });

const RELEASES: Release[] = [
  {
    name: '3.4.23, as Debian ships it',
    tool: /etcdctl 3\.4\.23/,
    raisesRevision: false,
    skip: 'missing' in debian && debian.missing,
    folder: async () => ('folder' in debian ? debian.folder : ''),
  },
  {
    name: '3.5',
    tool: /etcdutl 3\.5\./,
    raisesRevision: true,
    skip: false,
    folder: release35,
  },
  {
    name: '3.6',
    tool: /etcdutl 3\.6\./,
    raisesRevision: true,
    skip: false,
    folder: async () => await folderOf({ etcd: 'etcd', etcdutl: 'etcdutl' }),
  },
];

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => {
  await temporal.teardown();
  await rm(directory, { recursive: true });
});

for (const release of RELEASES) {
  test(`a cluster of etcd ${release.name} is restored from its own backup`, { skip: release.skip }, async () => {
    await using cluster = await serviceCluster(join(await release.folder(), 'etcd'));
    await cluster.start();
    const etcd = new Etcd3({ hosts: cluster.members.map(({ clientUrl }) => clientUrl) });
    try {
      await putKeys(etcd, 40);
      const wanted = await readKeys(etcd);
      await withOperations(temporal, cluster.configFile, async (run) => {
        const override = ['young-cluster'];
        const { backup, state } = await run<BackupReport>('backup', { cluster: CLUSTER, override });
        assert.equal(state, 'complete');

        const verified = await run<VerifyReport>('verify', { cluster: CLUSTER, backup });
        assert.equal(verified.proof, 'restored', JSON.stringify(verified.checks));

        await etcd.delete().prefix('/registry/configmaps/default/cm-1').exec();
        await putKeys(etcd, 5, '/registry/later/');
        const { header } = await etcd.get('nothing').exec();

        const report = await run<RestoreReport>('restore', {
          cluster: CLUSTER,
          confirm: CLUSTER,
          approve: 'auto',
          backup,
        });
        assert.equal(report.outcome, 'restored', report.problem ?? '');
        for (const { clientUrl } of cluster.members) {
          const member = new Etcd3({ hosts: clientUrl });
          assert.deepEqual(await readKeys(member), wanted);
          member.close();
        }
        const after = Number(report.revision.after);
        const checked = report.steps.find(({ name, node }) => name === 'Check the node' && node === 'm1')?.evidence;
        if (release.raisesRevision) {
          assert.ok(after >= Number(header.revision) + MORE_THAN_ANY_CLIENT_HAS_SEEN, `revision ${after}`);
          assert.doesNotMatch(checked ?? '', /WARNING/);
        } else {
          assert.ok(after < Number(header.revision), 'it went back');
          assert.match(checked ?? '', release.tool);
          assert.match(checked ?? '', /WARNING: .*can't raise the revision/);
        }
      });
    } finally {
      etcd.close();
    }
  });
}

test("the tool of a release that only its nodes have is found while their etcd runs, and kept for when it doesn't", async () => {
  const { version } = await provideTool('etcdutl35');
  const kept = `/var/tmp/salvor/etcdutl-${version}`;
  await rm(kept, { force: true });
  await using cluster = await serviceCluster(join(await release35(), 'etcd'));
  const [node] = resolveCluster(await loadConfiguration(cluster.configFile), CLUSTER).nodes;
  assert.ok(node);
  const signal = AbortSignal.timeout(60_000);
  const find = async () => await etcdutlOn(node, localHost('m1'), signal, version);

  await assert.rejects(find(), {
    type: 'ToolMissing',
    message: /the snapshot is from etcd 3\.5\..*worker's own: 3\.6\..*etcd\.etcdutl/,
  });
  await cluster.start();
  const { path, source } = await find();
  assert.deepEqual({ path, source }, { path: kept, source: 'a copy of the one next to its etcd' });
  await cluster.stop();
  assert.deepEqual(await find(), {
    path: kept,
    name: 'etcdutl',
    version,
    source: 'kept on the node from an earlier run',
    raisesRevision: true,
  });
});
