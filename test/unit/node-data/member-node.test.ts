import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { localHost } from '../../../adapters/hosts/local.ts';
import { checkMemberNode } from '../../../adapters/node-data/check-member-node.ts';
import { flavourNode } from '../../../adapters/flavours/index.ts';
import { configureMember } from '../../../adapters/flavours/member-configuration.ts';
import { putBackMemberData, setMemberDataAside } from '../../../adapters/node-data/member-data.ts';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import type { Cluster } from '../../../domain/configuration/resolve.ts';
import { CLUSTER } from '../../support/fake-activities.ts';

const host = localHost('m1');
const signal = AbortSignal.timeout(60_000);
const OPERATION = '20261128-120000';
const INITIAL_CLUSTER = 'm1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380';

let directory: string;
let node: ClusterNode;
let cluster: Cluster;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const [first] = CLUSTER.nodes;
  assert.ok(first);
  const service = { start: ['true'], stop: ['true'], status: ['false'] };
  node = {
    ...first,
    etcd: { ...first.etcd, dataDir: join(directory, 'etcd'), configuration: join(directory, 'etcd.env'), service },
  };
  cluster = { ...CLUSTER, flavour: 'etcd', nodes: [node] };
});
afterEach(async () => await rm(directory, { recursive: true }));

describe("a member's data", () => {
  const data = () => join(directory, 'etcd/member');
  const aside = () => `${data()}.before-replace-${OPERATION}`;

  test('is moved aside once, however often it is asked for, and its directory stays', async () => {
    await mkdir(join(data(), 'wal'), { recursive: true });
    for (let turn = 0; turn < 2; turn += 1) {
      assert.deepEqual(await setMemberDataAside(node, host, OPERATION, signal), { setAside: aside() });
    }
    assert.deepEqual(await readdir(join(directory, 'etcd')), [`member.before-replace-${OPERATION}`]);
    assert.deepEqual(await readdir(aside()), ['wal']);
  });

  test('that is not there is nothing to move', async () => {
    assert.deepEqual(await setMemberDataAside(node, host, OPERATION, signal), { setAside: null });
  });

  test('that something made anew meanwhile is left for a person', async () => {
    await mkdir(data(), { recursive: true });
    await setMemberDataAside(node, host, OPERATION, signal);
    await mkdir(data());
    await assert.rejects(setMemberDataAside(node, host, OPERATION, signal), {
      type: 'UnsafeState',
      message: /started etcd/,
    });
  });

  test('is put back by a rollback, once', async () => {
    await mkdir(join(data(), 'wal'), { recursive: true });
    await setMemberDataAside(node, host, OPERATION, signal);
    const order = { operationId: OPERATION, hadData: true };
    assert.deepEqual(await putBackMemberData(node, host, order, signal), { changed: true });
    assert.deepEqual(await readdir(data()), ['wal']);
    assert.deepEqual(await putBackMemberData(node, host, order, signal), { changed: false });
  });

  test('that is nowhere is not taken for put back, unless there was none', async () => {
    await assert.rejects(putBackMemberData(node, host, { operationId: OPERATION, hadData: true }, signal), {
      type: 'UnsafeState',
      message: /something else has moved or removed it/,
    });
    const order = { operationId: OPERATION, hadData: false };
    assert.deepEqual(await putBackMemberData(node, host, order, signal), { changed: false });
  });
});

describe("a member's configuration", () => {
  const file = () => join(directory, 'etcd.env');
  const order = { initialCluster: INITIAL_CLUSTER, operationId: OPERATION };
  const OLD = 'ETCD_NAME=m1\nETCD_INITIAL_CLUSTER=m1=https://10.0.0.1:2380\nETCD_INITIAL_CLUSTER_STATE=new\n';

  test('is written anew with the rights that it had, and the first one is kept, however often', async () => {
    await writeFile(file(), OLD, { mode: 0o640 });
    const kept = `${file()}.before-replace-${OPERATION}`;
    for (const initialCluster of [INITIAL_CLUSTER, INITIAL_CLUSTER, `${INITIAL_CLUSTER},m3=https://10.0.0.3:2380`]) {
      const written = await configureMember(
        flavourNode(cluster, node, host),
        host,
        { ...order, initialCluster },
        signal,
      );
      assert.deepEqual(written, { path: file(), setAside: [kept] });
      const text = await readFile(file(), 'utf8');
      assert.equal(text, `ETCD_NAME=m1\nETCD_INITIAL_CLUSTER=${initialCluster}\nETCD_INITIAL_CLUSTER_STATE=existing\n`);
    }
    assert.equal(await readFile(kept, 'utf8'), OLD);
    for (const path of [file(), kept]) assert.equal((await stat(path)).mode & 0o777, 0o640);
  });

  test('that is as it should be is not touched', async () => {
    await writeFile(file(), `--initial-cluster=${INITIAL_CLUSTER} --initial-cluster-state=existing`);
    assert.deepEqual(await configureMember(flavourNode(cluster, node, host), host, order, signal), {
      path: file(),
      setAside: [],
    });
    assert.deepEqual(await readdir(directory), ['etcd.env']);
  });

  test('is checked before anything is touched, with the room for the data', async () => {
    await writeFile(file(), OLD);
    const found = await checkMemberNode(cluster, node, host, 1_000, signal);
    assert.deepEqual(found, {
      etcd: 'stopped',
      apiServer: null,
      joinsItself: false,
      seen: `etcd stopped, configured in ${file()}`,
    });
    await assert.rejects(checkMemberNode(cluster, node, host, Number.MAX_SAFE_INTEGER / 4, signal), {
      type: 'NoSpace',
      message: /m1: .*etcd has/,
    });
  });

  test('that cannot be found or written is refused before anything is touched', async () => {
    await assert.rejects(checkMemberNode(cluster, node, host, 0, signal), {
      type: 'UnsafeState',
      message: /etcd\.env does not exist/,
    });
    await writeFile(file(), 'ETCD_NAME=m1\n');
    await assert.rejects(checkMemberNode(cluster, node, host, 0, signal), {
      type: 'UnsafeState',
      message: /sets initial-cluster nowhere/,
    });
    const { configuration: _unnamed, ...etcd } = node.etcd;
    await assert.rejects(checkMemberNode(cluster, { ...node, etcd }, host, 0, signal), {
      type: 'InvalidConfiguration',
      message: /which file holds .*; set etcd\.configuration/,
    });
  });
});
