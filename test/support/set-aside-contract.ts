/** The tests of listing and removing set-aside data that every host must pass. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { listSetAside, removeSetAside } from '../../adapters/node-data/set-aside.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { setAsideAt } from '../../domain/restore/set-aside.ts';
import { CLUSTER } from './fake-activities.ts';
import type { HostUnderTest } from './host-contract.ts';

/** Runs one command for all, because over SSH each takes a while. */
const LAYOUT = `
cd "$1"
rm -rf -- *
for name in member member.before-restore-20261101-000000 member.abandoned-restore-20261103-000000 member.before-restore-by-hand \\
  member2.before-restore-20261101-000000 lost+found; do
  mkdir -p "$name/snap"
  echo data >"$name/snap/db"
done
mkdir -p member.before-restore-20261102-000000
head -c 2000000 /dev/zero >member.before-restore-20261102-000000/db
ln -s "$1/lost+found" member.before-restore-20261104-000000
mkdir -p member.before-replace-20261105-000000/snap conf/etcd.env.before-replace-20261106-000000
for name in etcd.env etcd.env.before-replace-20261105-000000 other.env.before-replace-20261105-000000; do
  echo ETCD_INITIAL_CLUSTER= >"conf/$name"
done
ln -s etcd.env conf/etcd.env.before-replace-20261107-000000
`;

/** @param missing why this machine can't have such a host */
export function describeSetAside(name: string, open: () => Promise<HostUnderTest>, missing?: string): void {
  describe(`set-aside data ${name}`, { skip: missing ?? false }, () => {
    const signal = AbortSignal.timeout(300_000);
    let under: HostUnderTest;
    let node: ClusterNode;
    let cluster: Cluster;
    before(async () => {
      under = await open();
      const [template] = CLUSTER.nodes;
      assert.ok(template);
      const configuration = join(under.directory, 'conf/etcd.env');
      node = { ...template, etcd: { ...template.etcd, dataDir: under.directory, configuration } };
      cluster = { ...CLUSTER, flavour: 'etcd', nodes: [node] };
    });
    after(async () => {
      await under.host.close();
      await under.remove();
    });
    const at = (path: string) => join(under.directory, path);
    const names = async () => (await under.host.list(under.directory, signal)).map((entry) => entry.name);
    beforeEach(async () => {
      const { exitCode, stderr } = await under.host.run(['sh', '-ec', LAYOUT, 'sh', under.directory], { signal });
      assert.equal(exitCode, 0, stderr);
    });

    test('are listed with their sizes, and nothing else is', async () => {
      const found = await listSetAside(cluster, node, under.host, signal);
      assert.deepEqual(
        found.map(({ path, kind, type, operationId }) => [path, kind, type, operationId]),
        [
          [at('member.before-restore-20261101-000000'), 'before', 'directory', '20261101-000000'],
          [at('member.before-restore-20261102-000000'), 'before', 'directory', '20261102-000000'],
          [at('member.abandoned-restore-20261103-000000'), 'abandoned', 'directory', '20261103-000000'],
          [at('member.before-replace-20261105-000000'), 'replaced', 'directory', '20261105-000000'],
          [at('conf/etcd.env.before-replace-20261105-000000'), 'replaced', 'file', '20261105-000000'],
        ],
      );
      const bytes = found[1]?.bytes ?? 0;
      assert.ok(bytes >= 2_000_000 && bytes < 3_000_000, `${bytes} bytes`);
    });

    test('are removed when they are named, and the others stay', async () => {
      const paths = [at('member.before-restore-20261102-000000'), at('member.abandoned-restore-20261103-000000')];
      const { removed, bytes } = await removeSetAside(cluster, node, under.host, paths, signal);
      assert.deepEqual(removed, paths);
      assert.ok(bytes >= 2_000_000);
      assert.deepEqual(await names(), [
        'conf',
        'lost+found',
        'member',
        'member.before-replace-20261105-000000',
        'member.before-restore-20261101-000000',
        'member.before-restore-20261104-000000',
        'member.before-restore-by-hand',
        'member2.before-restore-20261101-000000',
      ]);
      assert.deepEqual(await removeSetAside(cluster, node, under.host, paths, signal), { removed: [], bytes: 0 });
    });

    test('of a replacement are removed too, data and configuration, and the files in use stay', async () => {
      const paths = [at('member.before-replace-20261105-000000'), at('conf/etcd.env.before-replace-20261105-000000')];
      assert.deepEqual((await removeSetAside(cluster, node, under.host, paths, signal)).removed, paths);
      assert.equal(await under.host.typeOf(paths[0] ?? '', signal), undefined);
      assert.deepEqual(
        (await under.host.list(at('conf'), signal)).map((entry) => entry.name),
        [
          'etcd.env',
          'etcd.env.before-replace-20261106-000000',
          'etcd.env.before-replace-20261107-000000',
          'other.env.before-replace-20261105-000000',
        ],
      );
      const again = await removeSetAside(cluster, node, under.host, paths, signal);
      assert.deepEqual(again, { removed: [], bytes: 0 });
    });

    test('of a removal that was killed are removed by the next try, and listed for the next cleanup', async () => {
      for (const path of [
        at('member.before-restore-20261101-000000'),
        at('member.before-replace-20261105-000000'),
        at('conf/etcd.env.before-replace-20261105-000000'),
      ]) {
        const { removing } = setAsideAt({ dataDir: under.directory, files: [at('conf/etcd.env')] }, path) ?? {};
        assert.ok(removing !== undefined);
        const kill = async () => {
          await under.host.rename(path, removing, signal);
          assert.ok((await listSetAside(cluster, node, under.host, signal)).some((found) => found.path === removing));
        };
        await kill();
        await removeSetAside(cluster, node, under.host, [path], signal);
        assert.equal(await under.host.typeOf(removing, signal), undefined, 'the same try again');
        await under.host.run(['cp', '-r', at(removing.includes('env') ? 'conf/etcd.env' : 'member'), path], { signal });
        await kill();
        const { removed } = await removeSetAside(cluster, node, under.host, [removing], signal);
        assert.deepEqual(removed, [removing], 'another cleanup');
        assert.equal(await under.host.typeOf(removing, signal), undefined);
      }
    });

    test('are not removed beside the name of anything else: then nothing is', async () => {
      const all = await names();
      const good = at('member.before-restore-20261101-000000');
      for (const path of [
        at('member'),
        at('lost+found'),
        at('member.before-restore-by-hand'),
        at('member2.before-restore-20261101-000000'),
        at('conf/etcd.env'),
        at('conf/other.env.before-replace-20261105-000000'),
        at('etcd.env.before-replace-20261105-000000'),
        `${at('x')}/../member`,
        `${good}/`,
        'member.before-restore-20261101-000000',
        '/',
      ]) {
        await assert.rejects(removeSetAside(cluster, node, under.host, [good, path], signal), {
          type: 'UnsafeState',
          message: /nothing was removed: no restore or replacement has set .* aside/,
        });
      }
      assert.deepEqual(await names(), all);
    });

    test('a link is refused, and what it leads to stays', async () => {
      const link = at('member.before-restore-20261104-000000');
      await assert.rejects(removeSetAside(cluster, node, under.host, [link], signal), {
        type: 'UnsafeState',
        message: /is not a directory, but a link or a file$/,
      });
      assert.equal(await under.host.typeOf(at('lost+found/snap/db'), signal), 'file');
      for (const file of ['20261106-000000', '20261107-000000']) {
        await assert.rejects(
          removeSetAside(cluster, node, under.host, [at(`conf/etcd.env.before-replace-${file}`)], signal),
          { type: 'UnsafeState', message: /is not a file, but a link or a directory$/ },
        );
      }
      assert.equal(await under.host.typeOf(at('conf/etcd.env'), signal), 'file');
    });

    test('are kept while the member has no data: they may be all that is left of it', async () => {
      await under.host.rename(at('member'), at('moved'), signal);
      await assert.rejects(
        removeSetAside(cluster, node, under.host, [at('member.before-restore-20261101-000000')], signal),
        {
          type: 'UnsafeState',
          message: /nothing was removed: .* may be the only data of this member$/,
        },
      );
      assert.equal((await listSetAside(cluster, node, under.host, signal)).length, 5);
    });
  });
}
