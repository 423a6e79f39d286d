import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createKubernetesGateActivities } from '../../activities/kubernetes-gates.ts';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import { withMember } from '../../adapters/etcd/inspect.ts';
import { type ScratchEtcd, startScratchEtcd } from '../../adapters/etcd/scratch-member.ts';
import { watchIsCompacted } from '../../adapters/etcd/watch.ts';
import { locateEtcdutl } from '../../adapters/hosts/find.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { GateResult } from '../../domain/restore/gates.ts';
import { highestRefused } from '../../domain/restore/revision.ts';
import { freePorts, startEtcdCluster } from '../support/etcd-cluster.ts';
import { fill } from '../support/etcd-data.ts';
import { CLUSTER } from '../support/fake-activities.ts';

const signal = AbortSignal.timeout(300_000);

describe('a watch of an etcd that was restored with a raised revision', () => {
  let directory: string;
  let restored: ScratchEtcd;
  let source: { clientUrl: string; revision: string };
  let seenBefore: (string | null)[];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    const file = join(directory, 'snapshot.db');
    const live = await startEtcdCluster({ members: 1, directory });
    try {
      const clientUrl = live.members[0]?.clientUrl ?? '';
      await fill(clientUrl, 50, 10);
      await withMember({ node: 'm1', clientUrl }, async (member) => {
        await pipeline(member.snapshot(signal), createWriteStream(file, { mode: 0o600 }));
        source = { clientUrl, revision: (await member.status(signal)).revision };
      });
      const endpoint = { node: 'm1', clientUrl };
      seenBefore = [
        await watchIsCompacted(endpoint, '2', signal),
        await watchIsCompacted(endpoint, String(Number(source.revision) + 1), signal),
      ];
    } finally {
      await live.stop();
    }
    const peerUrl = 'http://127.0.0.1:2380';
    const dataDir = join(directory, 'restored');
    const host = localHost('this machine');
    const order = { memberName: 'm1', peerUrl, clusterToken: 't', initialCluster: [{ name: 'm1', peerUrl }] };
    const raised = { bumpRevision: '1000000', markCompacted: true };
    await restoreSnapshot(host, await locateEtcdutl(host), { file, dataDir, ...order, ...raised }, signal);
    restored = await startScratchEtcd({ dataDir, signal });
  });
  after(async () => {
    await restored?.stop();
    await rm(directory, { recursive: true });
  });

  async function prove(clientUrl: string, seenRevision: string | null): Promise<GateResult> {
    const [template] = CLUSTER.nodes;
    assert.ok(template);
    const nodes = [{ ...template, etcd: { ...template.etcd, clientUrl } }];
    const cluster: Cluster = { ...CLUSTER, flavour: 'etcd', nodes };
    const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) });
    const order = { cluster, node: template.name, operationId: '20261128-170000', seenRevision };
    return await activity.run(createKubernetesGateActivities().watchProof, order);
  }

  test('is refused from where clients were before, and the revision up to which is told', async () => {
    const { revision } = source;
    const compacted = (1_000_000 + Number(revision)).toString();
    assert.equal(await watchIsCompacted({ node: 'm1', clientUrl: restored.clientUrl }, revision, signal), compacted);
    assert.deepEqual(await prove(restored.clientUrl, revision), {
      checked: true,
      seen: `a watch from revision ${Number(revision) + 1} is refused: compacted up to ${compacted}`,
    });
  });

  test('is refused from every revision below the one at which the restored member begins', async () => {
    const floor = String(1_000_000 + Number(source.revision));
    assert.equal((await prove(restored.clientUrl, highestRefused(floor))).checked, true);
  });

  test('is taken from where the restored one is now: the gate then says what clients would miss', async () => {
    const now = String(1_000_000 + Number(source.revision));
    await assert.rejects(prove(restored.clientUrl, now), {
      type: 'ComponentStuck',
      message: /takes a watch from revision \d+, .*clients will miss changes$/,
    });
  });

  test('was taken before the restore, whether there was something to tell or not', () => {
    assert.deepEqual(seenBefore, [null, null]);
  });

  test('of a member that is away is tried again, and an unknown revision is no proof', async () => {
    const [port] = await freePorts(1);
    await assert.rejects(prove(`http://127.0.0.1:${port}`, '5'), {
      type: 'MemberUnreachable',
      message: /a watch from revision 6/,
    });
    assert.equal((await prove(restored.clientUrl, null)).checked, false);
  });
});
