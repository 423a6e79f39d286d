/** What a restore changes, told from a real cluster and a real snapshot of it. */
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { Etcd3 } from 'etcd3';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import { withMember } from '../../adapters/etcd/inspect.ts';
import { type ScratchEtcd, startScratchEtcd } from '../../adapters/etcd/scratch-member.ts';
import { locateEtcdutl } from '../../adapters/hosts/find.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { compareWithLive } from '../../adapters/drill/compare.ts';
import type { Changes } from '../../domain/restore/changes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { startEtcdCluster, type TestCluster } from '../support/etcd-cluster.ts';
import { CLUSTER } from '../support/fake-activities.ts';

const signal = AbortSignal.timeout(300_000);
const host = localHost('this machine');

/** Puts a hundred keys at a time. */
async function put(etcd: Etcd3, keys: string[], value: string): Promise<void> {
  for (let first = 0; first < keys.length; first += 100) {
    const puts = keys.slice(first, first + 100).map((key) => etcd.put(key).value(value));
    await etcd
      .if('none', 'Version', '==', 0)
      .then(...puts)
      .commit();
  }
}

function keysOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`);
}

function clusterOf(members: { name: string; clientUrl: string }[], flavour: Cluster['flavour'] = 'services'): Cluster {
  const [template] = CLUSTER.nodes;
  assert.ok(template);
  const nodes = members.map(({ name, clientUrl }) => ({ ...template, name, etcd: { ...template.etcd, clientUrl } }));
  return { ...CLUSTER, flavour, nodes };
}

/** Takes a snapshot and serves it. */
async function serveSnapshotOf(
  clientUrl: string,
  directory: string,
): Promise<{ scratch: ScratchEtcd; revision: string }> {
  const file = join(directory, 'snapshot.db');
  const revision = await withMember({ node: 'm1', clientUrl }, async (member) => {
    await pipeline(member.snapshot(signal), createWriteStream(file, { mode: 0o600 }));
    return (await member.status(signal)).revision;
  });
  const dataDir = join(directory, 'restored');
  const peerUrl = 'http://127.0.0.1:2380';
  const member = { memberName: 'drill', peerUrl, clusterToken: 'drill', initialCluster: [{ name: 'drill', peerUrl }] };
  await restoreSnapshot(host, await locateEtcdutl(host), { file, dataDir, ...member }, signal);
  return { scratch: await startScratchEtcd({ dataDir, signal }), revision };
}

describe('the comparison of a snapshot with the live cluster', () => {
  let directory: string;
  let live: TestCluster;
  let served: { scratch: ScratchEtcd; revision: string };
  let etcd: Etcd3;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    live = await startEtcdCluster({ members: 3, directory });
    const clientUrl = live.members[0]?.clientUrl ?? '';
    etcd = new Etcd3({ hosts: clientUrl });
    await put(etcd, keysOf(300, '/registry/configmaps/default/cm-'), 'before');
    await put(etcd, keysOf(20, '/registry/example.com/widgets/default/w-'), 'before');
    await put(etcd, ['/registry/leases/kube-node-lease/m1', '/zzz', '/aaa', 'compact_rev_key'], 'before');
    served = await serveSnapshotOf(clientUrl, directory);
  });
  after(async () => {
    etcd?.close();
    await served?.scratch.stop();
    await live?.stop();
    await rm(directory, { recursive: true });
  });

  async function compare(flavour?: Cluster['flavour']) {
    const { scratch, revision } = served;
    const restored = { endpoint: { node: 'scratch', clientUrl: scratch.clientUrl }, revision };
    return await compareWithLive(clusterOf(live.members, flavour), restored, signal);
  }

  async function changesOf(flavour?: Cluster['flavour']): Promise<Changes> {
    const { changes, changesProblem } = await compare(flavour);
    assert.ok(changes, changesProblem);
    return changes;
  }

  test('finds nothing while nothing was written', async () => {
    const { vanish, comeBack, revert, types, comparedAtRevision } = await changesOf();
    assert.deepEqual({ vanish, comeBack, revert, types }, { vanish: 0, comeBack: 0, revert: 0, types: [] });
    assert.equal(comparedAtRevision, served.revision);
  });

  test('finds what was made, deleted, changed, and made anew since, at both ends and in between', async () => {
    await put(
      etcd,
      ['/aa', '/registry/configmaps/default/cm-000100a', '/registry/secrets/default/new', '/zzzz'],
      'now',
    );
    await put(etcd, ['/registry/configmaps/default/cm-000007', '/registry/leases/kube-node-lease/m1'], 'now');
    await put(etcd, ['compact_rev_key'], 'now');
    await etcd.delete().key('/aaa').exec();
    await etcd.delete().prefix('/registry/example.com/widgets/').exec();
    // The same value again, and still another object.
    await etcd.delete().key('/registry/configmaps/default/cm-000299').exec();
    await put(etcd, ['/registry/configmaps/default/cm-000299'], 'before');

    const changes = await changesOf();
    const { types, noise, vanish, comeBack, revert } = changes;
    assert.deepEqual({ vanish, comeBack, revert }, { vanish: 4, comeBack: 21, revert: 2 });
    assert.deepEqual(noise, { vanish: 0, comeBack: 0, revert: 2, types: ['keys', 'leases'] });
    assert.deepEqual(
      types.map(({ type, vanish, comeBack, revert }) => ({ type, vanish, comeBack, revert })),
      [
        { type: 'keys', vanish: 2, comeBack: 1, revert: 0 },
        { type: 'configmaps', vanish: 1, comeBack: 0, revert: 2 },
        { type: 'secrets', vanish: 1, comeBack: 0, revert: 0 },
        { type: 'widgets.example.com', vanish: 0, comeBack: 20, revert: 0 },
      ],
    );
    assert.deepEqual(types[1]?.examples, {
      vanish: ['default/cm-000100a'],
      comeBack: [],
      revert: ['default/cm-000007', 'default/cm-000299'],
    });
  });

  test('of an etcd alone counts every key as a key', async () => {
    const { types, noise } = await changesOf('etcd');
    assert.deepEqual(
      types.map(({ type, vanish, comeBack, revert }) => ({ type, vanish, comeBack, revert })),
      [{ type: 'keys', vanish: 4, comeBack: 21, revert: 4 }],
    );
    assert.deepEqual(noise.types, []);
  });

  test('needs no quorum, and says why when no member is left', async () => {
    const before = await changesOf();
    await Promise.all(live.members.slice(1).map(async (member) => await member.kill()));
    assert.deepEqual(await changesOf(), before);
    await live.members[0]?.kill();
    const { changes, changesProblem } = await compare();
    assert.equal(changes, null);
    assert.match(changesProblem ?? '', /no member of prod answers: no answer from etcd on node m\d .*ECONNREFUSED/);
  });

  test('ends with its operation', async () => {
    const reason = new Error('the operation was cancelled');
    const { scratch, revision } = served;
    const restored = { endpoint: { node: 'scratch', clientUrl: scratch.clientUrl }, revision };
    await assert.rejects(compareWithLive(clusterOf(live.members), restored, AbortSignal.abort(reason)), reason);
  });
});

test('a cluster of 100,000 keys is compared within seconds, page by page', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const live = await startEtcdCluster({ members: 1, directory });
  const clientUrl = live.members[0]?.clientUrl ?? '';
  const etcd = new Etcd3({ hosts: clientUrl });
  let served: Awaited<ReturnType<typeof serveSnapshotOf>> | undefined;
  try {
    await put(etcd, keysOf(100_000, '/registry/configmaps/default/cm-'), 'x'.repeat(500));
    served = await serveSnapshotOf(clientUrl, directory);
    const { scratch, revision } = served;
    await etcd.delete().prefix('/registry/configmaps/default/cm-05').exec();
    await put(etcd, keysOf(12_345, '/registry/secrets/default/s-'), 'x');
    const startMs = performance.now();
    const restored = { endpoint: { node: 'scratch', clientUrl: scratch.clientUrl }, revision };
    const { changes } = await compareWithLive(clusterOf(live.members), restored, signal);
    const tookMs = performance.now() - startMs;
    assert.deepEqual([changes?.vanish, changes?.comeBack, changes?.revert], [12_345, 10_000, 0]);
    context.diagnostic(`compared in ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 30_000, `${tookMs} ms`);
  } finally {
    etcd.close();
    await served?.scratch.stop();
    await live.stop();
    await rm(directory, { recursive: true });
  }
});
