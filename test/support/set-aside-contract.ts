/** What listing and removing set-aside data directories must do, on every host. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { listSetAside, removeSetAside } from '../../adapters/restore/set-aside.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { removingPath } from '../../domain/set-aside.ts';
import { CLUSTER } from './fake-activities.ts';
import type { HostUnderTest } from './host-contract.ts';

/** In one command: over SSH each takes a while. */
const LAYOUT = `
cd "$1"
rm -rf -- *
for name in etcd etcd.before-restore-20261101-000000 etcd.abandoned-restore-20261103-000000 etcd.before-restore-by-hand \\
  etcd2.before-restore-20261101-000000 unrelated; do
  mkdir -p "$name/member/snap"
  echo data >"$name/member/snap/db"
done
mkdir -p etcd.before-restore-20261102-000000
head -c 2000000 /dev/zero >etcd.before-restore-20261102-000000/db
ln -s "$1/unrelated" etcd.before-restore-20261104-000000
`;

/** @param missing why there can't be such a host here */
export function describeSetAside(name: string, open: () => Promise<HostUnderTest>, missing?: string): void {
  describe(`set-aside data directories ${name}`, { skip: missing ?? false }, () => {
    const signal = AbortSignal.timeout(300_000);
    let under: HostUnderTest;
    let node: ClusterNode;
    before(async () => {
      under = await open();
      const [template] = CLUSTER.nodes;
      assert.ok(template);
      node = { ...template, etcd: { ...template.etcd, dataDir: join(under.directory, 'etcd') } };
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
      const found = await listSetAside(node, under.host, signal);
      assert.deepEqual(
        found.map(({ path, kind, operationId }) => ({ path, kind, operationId })),
        [
          { path: at('etcd.before-restore-20261101-000000'), kind: 'before', operationId: '20261101-000000' },
          { path: at('etcd.before-restore-20261102-000000'), kind: 'before', operationId: '20261102-000000' },
          { path: at('etcd.abandoned-restore-20261103-000000'), kind: 'abandoned', operationId: '20261103-000000' },
        ],
      );
      const bytes = found[1]?.bytes ?? 0;
      assert.ok(bytes >= 2_000_000 && bytes < 3_000_000, `${bytes} bytes`);
    });

    test('are removed when they are named, and the others stay', async () => {
      const paths = [at('etcd.before-restore-20261102-000000'), at('etcd.abandoned-restore-20261103-000000')];
      const { removed, bytes } = await removeSetAside(node, under.host, paths, signal);
      assert.deepEqual(removed, paths);
      assert.ok(bytes >= 2_000_000);
      assert.deepEqual(await names(), [
        'etcd',
        'etcd.before-restore-20261101-000000',
        'etcd.before-restore-20261104-000000',
        'etcd.before-restore-by-hand',
        'etcd2.before-restore-20261101-000000',
        'unrelated',
      ]);
      assert.deepEqual(await removeSetAside(node, under.host, paths, signal), { removed: [], bytes: 0 });
    });

    test('of a removal that was killed are removed by the next one', async () => {
      const path = at('etcd.before-restore-20261101-000000');
      const known = { path, kind: 'before', operationId: '20261101-000000' } as const;
      await under.host.rename(path, removingPath(node.etcd.dataDir, known), signal);
      await removeSetAside(node, under.host, [path], signal);
      assert.ok(!(await names()).some((name) => name.includes('removing')));
    });

    test('are not removed beside the name of anything else: then nothing is', async () => {
      const all = await names();
      const good = at('etcd.before-restore-20261101-000000');
      for (const path of [
        at('etcd'),
        at('unrelated'),
        at('etcd.before-restore-by-hand'),
        at('etcd2.before-restore-20261101-000000'),
        `${at('x')}/../etcd`,
        `${good}/`,
        'etcd.before-restore-20261101-000000',
        '/',
      ]) {
        await assert.rejects(removeSetAside(node, under.host, [good, path], signal), {
          type: 'UnsafeState',
          message: /nothing was removed$/,
        });
      }
      assert.deepEqual(await names(), all);
    });

    test('a link is refused, and what it leads to stays', async () => {
      const link = at('etcd.before-restore-20261104-000000');
      await assert.rejects(removeSetAside(node, under.host, [link], signal), {
        type: 'UnsafeState',
        message: /is no directory, but a link or a file$/,
      });
      assert.equal(await under.host.typeOf(at('unrelated/member/snap/db'), signal), 'file');
    });

    test('are kept while the member has no data directory: they may be all that is left of it', async () => {
      await under.host.rename(at('etcd'), at('moved'), signal);
      await assert.rejects(removeSetAside(node, under.host, [at('etcd.before-restore-20261101-000000')], signal), {
        type: 'UnsafeState',
        message: /may be the only data of this member; nothing was removed$/,
      });
      assert.equal((await listSetAside(node, under.host, signal)).length, 3);
    });
  });
}
