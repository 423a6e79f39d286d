import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { localHost } from '../../adapters/hosts/local.ts';
import { makeDataDirectory } from '../../adapters/node-data/data-directory.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { CLUSTER } from '../support/fake-activities.ts';

const SOMEBODY = 65_534;
const signal = AbortSignal.timeout(60_000);
const host = localHost('m1');

let above: string;
let node: ClusterNode;
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const [template] = CLUSTER.nodes;
  assert.ok(template);
  node = { ...template, etcd: { ...template.etcd, dataDir: join(above, 'default') } };
});
afterEach(async () => await rm(above, { recursive: true }));

const make = async () => await makeDataDirectory(node, host, signal);
const notRoot = process.getuid?.() !== 0 && 'only root may give a directory away';

test(
  'a data directory that is lost is made anew for whom the directory above belongs to',
  { skip: notRoot },
  async () => {
    await chown(above, SOMEBODY, SOMEBODY);
    // As a try leaves it that was killed.
    await mkdir(join(above, 'default.salvor-new'), { mode: 0o700 });
    await make();
    assert.deepEqual(await readdir(above), ['default']);
    const { uid, gid, mode } = await stat(node.etcd.dataDir);
    assert.deepEqual([uid, gid, mode & 0o777], [SOMEBODY, SOMEBODY, 0o700]);
  },
);

test('a data directory that is there stays as it is', async () => {
  await mkdir(node.etcd.dataDir, { mode: 0o750 });
  await writeFile(join(node.etcd.dataDir, 'kept'), '');
  await make();
  assert.deepEqual(await readdir(node.etcd.dataDir), ['kept']);
  assert.equal((await stat(node.etcd.dataDir)).mode & 0o777, 0o750);
});
