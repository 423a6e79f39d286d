import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { localHost } from '../../adapters/hosts/local.ts';
import { unstageDataDirectory } from '../../adapters/node-data/data-directory.ts';
import { closeJournal, openJournal, readJournal, writeJournal } from '../../adapters/node-data/journal.ts';
import { identityOf, newDataOn, requireNewData } from '../../adapters/node-data/new-data.ts';
import { refuseOthersStaging, removeAbandonedStaging } from '../../adapters/node-data/staging-of-others.ts';
import { putBackDataDirectory, swapDataDirectory } from '../../adapters/node-data/swap.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { journalPath, memberData, restorePaths } from '../../domain/node-paths.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import { CLUSTER, JOURNAL } from '../support/fake-activities.ts';

const signal = AbortSignal.timeout(60_000);
const host = localHost('m1');
const { operationId } = JOURNAL;
/** Of the same second on another Temporal server. */
const OTHERS: Journal = { ...JOURNAL, workflowId: 'restore/prod/other', runId: 'other', temporal: 'elsewhere:7233' };

let above: string;
let node: ClusterNode;
let data: string;
let paths: ReturnType<typeof restorePaths>;
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const [template] = CLUSTER.nodes;
  assert.ok(template);
  const dataDir = join(above, 'etcd');
  node = { ...template, etcd: { ...template.etcd, dataDir } };
  data = memberData(dataDir);
  paths = restorePaths(dataDir, operationId);
  await directory(data, 'old');
});
afterEach(async () => await rm(above, { recursive: true }));

async function directory(path: string, content: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'what'), content);
}

const whatIsIn = async (path: string) => await readFile(join(path, 'what'), 'utf8');
const unsafe = (message: RegExp) => (error: unknown) =>
  error instanceof SalvorError && error.type === 'UnsafeState' && message.test(error.message);

/** As a restore leaves the node that is about to stop etcd. */
async function prepared(): Promise<void> {
  await openJournal(node, host, { ...JOURNAL, phase: 'preparing' }, signal);
  await directory(paths.staged, 'new');
  const newData = await identityOf(host, paths.staged, signal);
  await writeJournal(node, host, JOURNAL, { newData, mustBeThere: true }, signal);
}

const swap = async () => await swapDataDirectory(node, host, operationId, signal);

test('a swap that is asked for again is done already, and says where the old data lies', async () => {
  await prepared();
  for (const _again of [1, 2]) assert.deepEqual(await swap(), { setAside: paths.setAside });
  assert.equal(await whatIsIn(data), 'new');
  assert.equal(await whatIsIn(paths.setAside), 'old');
  assert.equal(await newDataOn(node, host, operationId, signal), 'in place');
});

test('staged data that vanishes is no swap: before anything stops, and at the swap itself', async () => {
  await prepared();
  await rm(paths.staged, { recursive: true });
  assert.equal(await newDataOn(node, host, operationId, signal), 'gone');
  await assert.rejects(requireNewData(node, host, operationId, signal), unsafe(/something else has moved or removed/));
  await assert.rejects(swap(), unsafe(/is gone, and .* is not what was staged there/));
  assert.equal(await whatIsIn(data), 'old');
});

test('what something else makes in the place of the data between the two renames is not taken for the new', async () => {
  await prepared();
  await rename(data, paths.setAside);
  await rm(paths.staged, { recursive: true });
  await directory(data, 'by a stranger');
  await assert.rejects(swap(), unsafe(/is not what was staged there/));
  assert.equal(await whatIsIn(paths.setAside), 'old');
});

test('a member that had no data is swapped once, and known by what was staged', async () => {
  await rm(data, { recursive: true });
  await prepared();
  for (const _again of [1, 2]) assert.deepEqual(await swap(), { setAside: null });
  await rm(data, { recursive: true });
  await directory(data, 'by a stranger');
  await assert.rejects(swap(), unsafe(/is not what was staged there/));
});

test('a node that has lost its journal is known by the old data that lies aside', async () => {
  await prepared();
  await swap();
  await rm(journalPath(node.etcd.dataDir));
  assert.deepEqual(await swap(), { setAside: paths.setAside });
});

test('a rollback does not take the restored data for the old when the old is gone', async () => {
  await prepared();
  await swap();
  await rm(paths.setAside, { recursive: true });
  const putBack = putBackDataDirectory(node, host, operationId, 'present', signal);
  await assert.rejects(putBack, unsafe(/is the restored data, and the old is not in/));
  assert.equal(await whatIsIn(data), 'new');
});

test('a rollback of staged data that vanished leaves the old data where it is', async () => {
  await prepared();
  await rm(paths.staged, { recursive: true });
  assert.deepEqual(await putBackDataDirectory(node, host, operationId, 'present', signal), { abandoned: null });
  assert.equal(await whatIsIn(data), 'old');
});

test('of two restores of one second the one that comes second neither replaces nor removes what is the first’s', async () => {
  const preparing: Journal = { ...JOURNAL, phase: 'preparing', temporal: 'here:7233, namespace default' };
  await openJournal(node, host, preparing, signal);
  await openJournal(node, host, preparing, signal);
  await directory(paths.staged, 'new');
  const anothers = unsafe(
    /restore\/prod\/terminated \(run .*, Temporal here:7233, namespace default\) has been preparing/,
  );
  await assert.rejects(openJournal(node, host, OTHERS, signal), anothers);
  await assert.rejects(writeJournal(node, host, OTHERS, { newData: undefined, mustBeThere: false }, signal), anothers);
  await assert.rejects(closeJournal(node, host, OTHERS, signal), anothers);
  assert.deepEqual(await unstageDataDirectory(node, host, OTHERS, signal), { removed: false });
  assert.equal(await whatIsIn(paths.staged), 'new');
  assert.deepEqual(await readJournal(node, host, signal), preparing);

  assert.deepEqual(await unstageDataDirectory(node, host, preparing, signal), { removed: true });
  assert.deepEqual(await readdir(above), ['etcd']);
  assert.deepEqual(await readdir(node.etcd.dataDir), ['member']);
});

test('two restores that open the journal at the same time: one has it, the other is refused', async () => {
  const outcomes = await Promise.allSettled(
    [JOURNAL, OTHERS].map(async (journal) => await openJournal(node, host, journal, signal)),
  );
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.deepEqual((await readdir(above)).sort(), ['etcd', 'etcd.salvor-journal.json']);
});

test('a restore whose journal was taken away does not make it again', async () => {
  await prepared();
  await rm(journalPath(node.etcd.dataDir));
  const write = writeJournal(node, host, JOURNAL, { newData: undefined, mustBeThere: true }, signal);
  await assert.rejects(write, unsafe(/is no longer there/));
});

test('what another restore staged today is refused, and removed when it is older than a day', async () => {
  const staged = restorePaths(node.etcd.dataDir, '20261122-000000').staged;
  await directory(staged, 'of another');
  await assert.rejects(refuseOthersStaging(node, host, operationId, signal), unsafe(/less than a day ago/));
  await removeAbandonedStaging(node, host, operationId, signal);
  assert.equal(await whatIsIn(staged), 'of another');

  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  await utimes(staged, twoDaysAgo, twoDaysAgo);
  await refuseOthersStaging(node, host, operationId, signal);
  await removeAbandonedStaging(node, host, operationId, signal);
  assert.deepEqual(await readdir(node.etcd.dataDir), ['member']);
});

test('a restore that has changed the node once does not begin there again, as a reset one would', async () => {
  await directory(paths.setAside, 'old');
  await assert.rejects(refuseOthersStaging(node, host, operationId, signal), unsafe(/was its operation reset/));
});
