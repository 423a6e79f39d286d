import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { environment } from '../../adapters/environment.ts';
import { type Configuration, PLAYGROUND_CLUSTER, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 10);
  await addBrokenClusters(world);
});
after(async () => await world.down());

/** Copies of the cluster with one thing wrong in each. */
async function addBrokenClusters({ configure, playground }: World): Promise<void> {
  const wrongSecret = join(playground.directory, 'wrong-secret');
  await writeFile(wrongSecret, 'not-the-secret', { mode: 0o600 });
  await mkdir(join(playground.directory, 'here'), { recursive: true });
  await configure(({ stores, clusters }: Configuration) => {
    const good = clusters[PLAYGROUND_CLUSTER];
    const { offsite } = stores;
    if (!good || !offsite) throw new Error('the playground has another configuration than expected');
    const credentials = offsite['credentials'] as object;
    stores['no-bucket'] = { ...offsite, bucket: 'no-such-bucket' };
    stores['wrong-secret'] = { ...offsite, credentials: { ...credentials, secretAccessKey: { file: wrongSecret } } };
    stores['no-secret'] = {
      ...offsite,
      credentials: { ...credentials, secretAccessKey: { env: 'SALVOR_TEST_NOT_SET' } },
    };
    stores['no-directory'] = { type: 'filesystem', path: join(playground.directory, 'not-mounted') };
    for (const store of ['no-bucket', 'wrong-secret', 'no-secret', 'no-directory'])
      clusters[store] = { ...good, stores: [store] };
    clusters['unreachable'] = {
      ...good,
      // Nothing listens on the lowest ports of a loopback address.
      nodes: good.nodes.map((node, index) => ({
        ...node,
        etcd: { ...(node['etcd'] as object), clientUrl: `https://127.0.0.1:${index + 2}` },
      })),
    };
    clusters['no-certificate'] = {
      ...good,
      etcd: { tls: { ...(good['etcd'] as { tls: object }).tls, cert: '/nowhere/client.crt' } },
    };
  });
}

interface Result {
  exit: number;
  error: { type: string; message: string; act: string };
}

async function salvor(...args: string[]): Promise<Result> {
  const env = { ...environment(), TEMPORAL_ADDRESS: world.playground.temporalAddress };
  return await new Promise((resolve) => {
    execFile(SALVOR, [...args, '--output', 'json'], { env }, (error, stdout) => {
      const exit = typeof error?.code === 'number' ? error.code : 0;
      resolve({ exit, ...(JSON.parse(stdout) as { error: Result['error'] }) });
    });
  });
}

const cases: [string, string[], number, string, RegExp][] = [
  [
    'a cluster that is not in the configuration',
    ['backup', 'prod'],
    2,
    'UnknownCluster',
    /no cluster is named "prod".*playground/,
  ],
  ['a name that is none', ['backup', '$(reboot)'], 2, 'InvalidInput', /"cluster": expected a name/],
  ['a restore of an unknown cluster', ['restore', 'prod', '--confirm', 'prod'], 2, 'UnknownCluster', /"prod"/],
  [
    'a confirmation of another cluster',
    ['restore', 'playground', '--confirm', 'prod'],
    2,
    'ConfirmationMismatch',
    /"prod", expected "playground"/,
  ],
  ['a restore without confirmation', ['restore', 'playground'], 2, 'InvalidInput', /confirm/],
  [
    'a restore without any backup',
    ['restore', 'playground', '--confirm', 'playground'],
    2,
    'UnknownBackup',
    /no good backup|no backup/i,
  ],
  [
    'a restore of a backup that is no name',
    ['restore', 'playground', '--confirm', 'playground', '--backup', 'yesterday'],
    2,
    'InvalidInput',
    /"backup": expected "latest"/,
  ],
  [
    'a restore of a backup that is not there',
    ['restore', 'playground', '--confirm', 'playground', '--backup', '20200101-000000'],
    2,
    'UnknownBackup',
    /20200101-000000/,
  ],
  [
    'a store that the cluster does not have',
    ['backups', 'playground', '--store', 'attic'],
    2,
    'UnknownStore',
    /attic.*local, offsite/,
  ],
  ['members that do not answer', ['backup', 'unreachable'], 1, 'NoHealthyMember', /m1:.*127\.0\.0\.1:2/],
  ['a certificate that is not there', ['backup', 'no-certificate'], 1, 'NoHealthyMember', /\/nowhere\/client\.crt/],
  ['a bucket that is not there', ['backup', 'no-bucket'], 1, 'StoreMissing', /no-such-bucket/],
  ['credentials that the store refuses', ['backup', 'wrong-secret'], 1, 'AccessDenied', /wrong-secret/],
  ['a secret that is not set', ['backup', 'no-secret'], 2, 'InvalidConfiguration', /SALVOR_TEST_NOT_SET/],
  ['a directory that is not mounted', ['backup', 'no-directory'], 1, 'StoreMissing', /not-mounted/],
];

for (const [what, args, exit, type, message] of cases) {
  test(`${what} ends with ${type} and exit status ${exit}, and says what to do`, async () => {
    const result = await salvor(...args);
    assert.equal(result.error.type, type, result.error.message);
    assert.match(result.error.message, message);
    assert.ok(result.error.act.length > 0);
    assert.equal(result.exit, exit);
  });
}

test('nothing was touched by any of them', async () => {
  assert.equal(Object.keys(await readKeys(world.etcd())).length, 10);
  assert.deepEqual(await readdir(world.playground.localStore), []);
  for (const { dataDir, name } of world.playground.nodes) {
    assert.ok((await world.playground.part(`etcd-${name}`)).running);
    for (const directory of [dataDir, dirname(dataDir)]) {
      assert.deepEqual(
        (await readdir(directory)).filter((entry) => /salvor|before-restore/.test(entry)),
        [],
      );
    }
  }
});
