/** What listing and removing set-aside data must do, on every host. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { listSetAside, removeSetAside } from '../../adapters/node-data/set-aside.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { removingPath } from '../../domain/restore/set-aside.ts';
import { CLUSTER } from './fake-activities.ts';
import type { HostUnderTest } from './host-contract.ts';

/** In one command: over SSH each takes a while. */
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
`;

/** @param missing why there can't be such a host here */
export function describeSetAside(name: string, open: () => Promise<HostUnderTest>, missing?: string): void {
  describe(`set-aside data ${name}`, { skip: missing ?? false }, () => {
    const signal = AbortSignal.timeout(300_000);
    let under: HostUnderTest;
    let node: ClusterNode;
    before(async () => {
      under = await open();
      const [template] = CLUSTER.nodes;
      assert.ok(template);
      node = { ...template, etcd: { ...template.etcd, dataDir: under.directory } };
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
          { path: at('member.before-restore-20261101-000000'), kind: 'before', operationId: '20261101-000000' },
          { path: at('member.before-restore-20261102-000000'), kind: 'before', operationId: '20261102-000000' },
          { path: at('member.abandoned-restore-20261103-000000'), kind: 'abandoned', operationId: '20261103-000000' },
        ],
      );
      const bytes = found[1]?.bytes ?? 0;
      assert.ok(bytes >= 2_000_000 && bytes < 3_000_000, `${bytes} bytes`);
    });

    test('are removed when they are named, and the others stay', async () => {
      const paths = [at('member.before-restore-20261102-000000'), at('member.abandoned-restore-20261103-000000')];
      const { removed, bytes } = await removeSetAside(node, under.host, paths, signal);
      assert.deepEqual(removed, paths);
      assert.ok(bytes >= 2_000_000);
      assert.deepEqual(await names(), [
        'lost+found',
        'member',
        'member.before-restore-20261101-000000',
        'member.before-restore-20261104-000000',
        'member.before-restore-by-hand',
        'member2.before-restore-20261101-000000',
      ]);
      assert.deepEqual(await removeSetAside(node, under.host, paths, signal), { removed: [], bytes: 0 });
    });

    test('of a removal that was killed are removed by the next one', async () => {
      const path = at('member.before-restore-20261101-000000');
      const known = { path, kind: 'before', operationId: '20261101-000000' } as const;
      await under.host.rename(path, removingPath(node.etcd.dataDir, known), signal);
      await removeSetAside(node, under.host, [path], signal);
      assert.ok(!(await names()).some((name) => name.includes('removing')));
    });

    test('are not removed beside the name of anything else: then nothing is', async () => {
      const all = await names();
      const good = at('member.before-restore-20261101-000000');
      for (const path of [
        at('member'),
        at('lost+found'),
        at('member.before-restore-by-hand'),
        at('member2.before-restore-20261101-000000'),
        `${at('x')}/../member`,
        `${good}/`,
        'member.before-restore-20261101-000000',
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
      const link = at('member.before-restore-20261104-000000');
      await assert.rejects(removeSetAside(node, under.host, [link], signal), {
        type: 'UnsafeState',
        message: /is no directory, but a link or a file$/,
      });
      assert.equal(await under.host.typeOf(at('lost+found/snap/db'), signal), 'file');
    });

    test('are kept while the member has no data: they may be all that is left of it', async () => {
      await under.host.rename(at('member'), at('moved'), signal);
      await assert.rejects(removeSetAside(node, under.host, [at('member.before-restore-20261101-000000')], signal), {
        type: 'UnsafeState',
        message: /may be the only data of this member; nothing was removed$/,
      });
      assert.equal((await listSetAside(node, under.host, signal)).length, 3);
    });
  });
}
