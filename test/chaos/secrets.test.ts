import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { scratchRoot } from '../../adapters/scratch/folders.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { failureTypeIn } from '../support/failures.ts';
import {
  filesWithSecrets,
  historiesWithSecrets,
  type Secrets,
  secretsIn,
  watchProcesses,
} from '../support/secret-scan.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

let world: World;
let folder = '';
let recipient = '';
let secrets: Secrets = {};
const reports: unknown[] = [];

const random = (name: string): string => `${name}-${randomBytes(24).toString('hex')}`;
const inFolder = (...names: string[]): string => join(folder, ...names);

before(async () => {
  world = await startWorld({ kubernetes: false });
  folder = await mkdtemp(join(tmpdir(), 'salvor-secrets-'));
  const { accessKeyId, secretAccessKey } = world.playground.s3;
  const identity = await generateIdentity();
  secrets = {
    's3 access key': accessKeyId,
    's3 secret key': secretAccessKey,
    'age identity': identity,
    'wrong s3 secret key': random('wrong-key'),
    'file that is no identity': random('no-identity'),
    'Secret in etcd': random('in-etcd'),
    'static resource': random('in-pki'),
  };
  await mkdir(inFolder('pki'), { mode: 0o700 });
  await writeFile(inFolder('pki', 'ca.key'), secrets['static resource'] ?? '', { mode: 0o600 });
  await writeFile(inFolder('identity'), identity, { mode: 0o600 });
  await writeFile(inFolder('no-identity'), secrets['file that is no identity'] ?? '', { mode: 0o600 });
  await writeFile(inFolder('wrong-key'), secrets['wrong s3 secret key'] ?? '', { mode: 0o600 });
  recipient = await identityToRecipient(identity);
  await world.configure(({ clusters }) => {
    Object.assign(clusters[cluster] ?? {}, {
      encryption: { recipients: [recipient], identities: [{ file: inFolder('identity') }] },
      staticResources: { paths: [inFolder('pki')] },
    });
  });
  await putKeys(world.etcd(), 50);
  await world
    .etcd()
    .put('/registry/secrets/default/token')
    .value(secrets['Secret in etcd'] ?? '')
    .exec();
});
after(async () => {
  await world.down();
  await rm(folder, { recursive: true, force: true });
});

async function fails(operation: string, input: object, type: string): Promise<void> {
  await assert.rejects(world.run(operation, input), (error: Error) => {
    reports.push(error.message, error.cause instanceof Error ? error.cause.message : '');
    return failureTypeIn(error) === type;
  });
}

async function runIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { runId } of world.temporal.workflow.list()) ids.push(runId);
  return ids;
}

test('a backup, a drill, a restore and their failures leave no secret in arguments, histories, reports, logs or files', async () => {
  const before = new Set(await readdir(scratchRoot()).catch(() => []));
  const watch = watchProcesses(scratchRoot(), (name) => !before.has(name));
  try {
    const backup = await world.run<BackupReport>('backup', { cluster });
    assert.equal(backup.state, 'complete');
    assert.equal(backup.artifacts.length, 4);
    reports.push(backup, await world.run('listBackups', { cluster }), await world.run('checkCluster', { cluster }));
    reports.push(await world.run('verify', { cluster, backup: backup.backup }));
    const restored = await world.run<RestoreReport>('restore', {
      cluster,
      confirm: cluster,
      approve: 'auto',
      backup: backup.backup,
    });
    assert.equal(restored.outcome, 'restored');
    reports.push(restored);

    // What goes wrong with a secret is told without it.
    await world.configure(({ clusters }) => {
      const encryption = { recipients: [recipient], identities: [{ file: inFolder('no-identity') }] };
      Object.assign(clusters[cluster] ?? {}, { encryption });
    });
    await fails(
      'restore',
      { cluster, confirm: cluster, approve: 'auto', backup: backup.backup },
      'InvalidConfiguration',
    );
    await world.configure(({ stores, clusters }) => {
      Object.assign(stores['offsite']?.['credentials'] ?? {}, { secretAccessKey: { file: inFolder('wrong-key') } });
      Object.assign(clusters[cluster] ?? {}, { stores: ['offsite'] });
    });
    await fails('backup', { cluster }, 'AccessDenied');
  } finally {
    watch.stop();
  }

  const commandLines = [...watch.commandLines];
  assert.ok(
    commandLines.some((line) => line.includes('etcdutl') && line.includes('restore')),
    'the watch saw what Salvor runs',
  );
  assert.deepEqual(
    commandLines.filter((line) => secretsIn(Buffer.from(line), secrets).length > 0),
    [],
  );
  assert.deepEqual([...watch.open], [], 'what lay in the scratch folder was its owner’s alone');

  const histories = await historiesWithSecrets(world.temporal, secrets);
  assert.deepEqual(histories.found, []);
  assert.ok(histories.read >= 6, 'every operation was read');

  assert.deepEqual(secretsIn(Buffer.from(JSON.stringify(reports)), secrets), []);
});

test('the scan finds what it looks for, as it is and in base64, in a file and in a history', async () => {
  const planted = random('planted');
  await writeFile(inFolder('planted'), Buffer.from(`{"data":"${Buffer.from(planted).toString('base64')}"}`));
  assert.deepEqual(await filesWithSecrets(folder, { planted }, () => false), [`${inFolder('planted')}: planted`]);
  await fails('backup', { cluster: planted }, 'UnknownCluster');
  const found = await until('the history is listed', async () => {
    const histories = await historiesWithSecrets(world.temporal, { planted });
    return histories.found.length > 0 && histories.found;
  });
  assert.deepEqual(
    found.map((line) => line.split(': ')[1]),
    ['planted'],
  );
});

test('logs, manifests, copies and Temporal’s own files hold no secret', async () => {
  const { directory, nodes } = world.playground;
  const isMeantFor = (path: string): boolean => {
    const [top = '', node = '', below = ''] = relative(directory, path).split('/');
    // The credentials themselves, and etcd's data: the present, and what a restore has set aside.
    return (
      top === 'secrets' || (top === 'nodes' && nodes.some(({ name }) => name === node) && /^etcd(\.|$)/.test(below))
    );
  };
  const ofSalvor = Object.fromEntries(Object.entries(secrets).filter(([name]) => name !== 's3 access key'));
  assert.deepEqual(await filesWithSecrets(directory, ofSalvor, isMeantFor), []);
  // An S3 server may log who asked; Salvor doesn't.
  const isOfS3 = (path: string): boolean =>
    isMeantFor(path) || /^(logs\/s3|stores\/(s3-|offsite))/.test(relative(directory, path));
  assert.deepEqual(await filesWithSecrets(directory, secrets, isOfS3), []);
});

test('what Salvor writes is readable by its user alone, and nothing stays in the scratch folder', async () => {
  const { localStore, nodes } = world.playground;
  const wrong: string[] = [];
  for (const entry of await readdir(localStore, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = (await stat(path)).mode & 0o777;
    if (mode !== (entry.isDirectory() ? 0o700 : 0o600)) wrong.push(`${path} ${mode.toString(8)}`);
  }
  assert.deepEqual(wrong, []);
  for (const { dataDir } of nodes) assert.equal((await stat(dataDir)).mode & 0o777, 0o700, dataDir);
  const left = await readdir(scratchRoot()).catch(() => []);
  const ours = await runIds();
  assert.deepEqual(
    left.filter((name) => ours.some((id) => name.startsWith(id))),
    [],
  );
});
