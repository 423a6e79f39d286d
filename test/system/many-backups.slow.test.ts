/**
 * Ten thousand backups in two real stores: what is said of them goes through Temporal all the same, which carries 2 MiB
 * at once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { stringify } from 'yaml';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { inParallel } from '../../adapters/stores/in-parallel.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import { SalvorClient } from '../../client/salvor.ts';
import type { CheckClusterReport } from '../../domain/operations/check-cluster.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import type { PruneInput, PruneReport } from '../../domain/operations/prune.ts';
import { environment } from '../../adapters/environment.ts';
import { createActivities } from '../../activities/index.ts';
import { freePorts } from '../support/etcd-cluster.ts';
import { manyBackups } from '../support/many-backups.ts';
import { startTemporal, withWorker } from '../support/temporal.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));
const BACKUPS = 10_000;
const STORES = ['local', 'offsite'];
const KEPT = 50;

let folder = '';
let configFile = '';
let temporal: TestWorkflowEnvironment;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-many-'));
  configFile = join(folder, 'salvor.yaml');
  await configure();
  const cluster = resolveCluster(await loadConfiguration(configFile), 'prod');
  const directory = join(folder, 'local', 'prod', '127.0.0.1');
  for (const store of STORES) await mkdir(directory.replace('local', store), { recursive: true });
  await inParallel([...manyBackups(cluster, BACKUPS)], 16, async (objects) => {
    for (const { key, content } of objects) {
      for (const store of STORES) await writeFile(join(folder, store, key), content);
    }
  });
  temporal = await startTemporal();
});
after(async () => {
  await temporal?.teardown();
  await rm(folder, { recursive: true });
});

/** A cluster whose etcd is away: neither listing nor pruning needs it. */
async function configure(): Promise<void> {
  const [port] = await freePorts(1);
  const store = (name: string, retention: object) => ({ type: 'filesystem', path: join(folder, name), retention });
  const nothing = ['false'];
  const service = { start: nothing, stop: nothing, status: nothing };
  const etcd = { clientUrl: `http://127.0.0.1:${port}`, dataDir: '/nonexistent', service };
  await writeFile(
    configFile,
    stringify({
      stores: { local: store('local', { keepLast: KEPT }), offsite: store('offsite', { keepLast: BACKUPS }) },
      clusters: {
        prod: {
          flavour: 'etcd',
          stores: STORES,
          nodes: [{ name: 'm1', address: '127.0.0.1', connection: 'local', etcd }],
        },
      },
    }),
  );
}

async function withSalvor<T>(work: (client: SalvorClient) => Promise<T>): Promise<T> {
  return await withWorker(temporal, createActivities(configFile, temporal.client), async (taskQueue) => {
    const place = { address: temporal.address, namespace: 'default' };
    return await work(new SalvorClient(temporal.client, place, taskQueue));
  });
}

test('the command lists every one of them, and a page says how many are older', async () => {
  await withSalvor(async (client) => {
    const page = await (await client.backups({ cluster: 'prod' })).result();
    assert.ok(page.backups.length > 1_000 && page.backups.length < BACKUPS);
    assert.equal(page.backups.length + (page.more ?? 0), BACKUPS);

    const { stdout } = await promisify(execFile)(
      SALVOR,
      ['backups', 'prod', '--output', 'json', '--task-queue', client.taskQueue],
      { env: { ...environment(), TEMPORAL_ADDRESS: temporal.address }, maxBuffer: 64 * 1024 ** 2 },
    );
    const whole = JSON.parse(stdout) as ListBackupsReport;
    assert.equal(new Set(whole.backups.map(({ backup }) => backup)).size, BACKUPS);
    assert.deepEqual(Object.keys(whole).sort(), ['backups', 'cluster', 'unreadable']);
    assert.ok(whole.backups.every(({ state, stores }) => state === 'complete' && stores.length === 2));
    assert.deepEqual(whole.backups.slice(0, page.backups.length), page.backups);

    const few = await (await client.backups({ cluster: 'prod', limit: 3 })).result();
    assert.deepEqual(few, { ...page, backups: page.backups.slice(0, 3), more: BACKUPS - 3 });
  });
});

test('doctor counts them all', async () => {
  const { checks } = await withSalvor(
    async (client): Promise<CheckClusterReport> => await (await client.checkCluster({ cluster: 'prod' })).result(),
  );
  assert.match(checks.find(({ name }) => name === 'backups')?.seen ?? '', /^10000, the newest good one is /);
});

test('pruning nearly all of one store and nothing of another is said and done in portions, each backup with its reason', async () => {
  await withSalvor(async (client) => {
    async function prune(input: Omit<PruneInput, 'cluster'>): Promise<PruneReport> {
      const report = await (await client.prune({ cluster: 'prod', removeMany: true, ...input })).result();
      assert.ok('dryRun' in report, JSON.stringify(report));
      for (const { error } of report.stores) assert.equal(error, undefined);
      return report;
    }

    const [local, offsite] = (await prune({ dryRun: true })).stores;
    assert.ok(local && offsite);
    assert.equal(local.kept.length, KEPT);
    assert.equal(local.removed.length + (local.more?.removed ?? 0), BACKUPS - KEPT);
    assert.equal(offsite.kept[0]?.reason, 'newest good backup');
    assert.equal(offsite.kept.length + (offsite.more?.kept ?? 0), BACKUPS);
    assert.deepEqual([offsite.removed.length, offsite.more?.removed], [0, 0]);

    // One store alone has more room in the report.
    const dry = await prune({ store: 'local', dryRun: true });
    const portion = dry.stores[0]?.removed ?? [];
    assert.ok(portion.length > local.removed.length && portion.length < BACKUPS - KEPT, `${portion.length} of them`);
    assert.ok(portion.every(({ reason }) => reason === 'older than every rule keeps'));
    assert.deepEqual(await prune({ store: 'local' }), { ...dry, dryRun: false });
    const left = await client.allBackups({ cluster: 'prod', store: 'local' });
    const gone = new Set(portion.map(({ backup }) => backup));
    assert.equal(left.backups.length, BACKUPS - portion.length);
    assert.ok(
      left.backups.every(({ backup }) => !gone.has(backup)),
      'what was reported is what is gone',
    );

    while ((await prune({ store: 'local' })).stores.some(({ more }) => more !== undefined));
    assert.equal((await client.allBackups({ cluster: 'prod', store: 'local' })).backups.length, KEPT);
  });
});
