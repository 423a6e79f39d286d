/**
 * Damage to stored backups: whatever happens to one, verify notices and restore refuses. Real backups of a real etcd in
 * every encoding, each damage in a copy of the store of its own.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { drillBackup, type DrillOutcome } from '../../adapters/drill/drill-backup.ts';
import { drill } from '../../adapters/drill/drill.ts';
import { findBackup, readCatalogue } from '../../adapters/catalogue/catalogue.ts';
import { filesystemStore } from '../../adapters/stores/filesystem/store.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { type Cluster, resolveCluster } from '../../domain/configuration/resolve.ts';
import { type FailureType, messageOf, SalvorError } from '../../domain/errors.ts';
import { formatManifest, type Manifest, parseManifest } from '../../domain/format/manifest.ts';
import { manifestKey } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { environmentVariable } from '../../adapters/environment.ts';
import { type Damage, damageBytes, damageManifest, seeded, withField } from '../support/corruptions.ts';
import { failureTypeIn } from '../support/failures.ts';
import { PLAYGROUND_CLUSTER, putKeys, startWorld, type World } from '../support/world.ts';

const DAMAGES = 300;
/** What a restore says of a backup that it doesn't take. */
const REFUSALS: FailureType[] = ['BackupCorrupt', 'ArtifactMissing', 'UnknownBackup'];

const ENCODINGS = [
  { compression: 'none', encrypted: false },
  { compression: 'zstd', encrypted: false },
  { compression: 'none', encrypted: true },
  { compression: 'zstd', encrypted: true },
] as const;

/** One stored backup: its files by key. */
interface Stored {
  manifest: Manifest;
  manifestKey: string;
  files: Map<string, Buffer>;
}

/** Two backups of one encoding: the second one is what is swapped in. */
interface Pair {
  encoding: string;
  cluster: Cluster;
  first: Stored;
  second: Stored;
}

let world: World;
let folder: string;
const pairs: Pair[] = [];

before(async () => {
  world = await startWorld({ kubernetes: false });
  folder = await mkdtemp(join(tmpdir(), 'salvor-corruption-'));
  await putKeys(world.etcd(), 100);
  const identity = await generateIdentity();
  const identityFile = join(folder, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const recipients = [await identityToRecipient(identity)];
  for (const { compression, encrypted } of ENCODINGS) {
    await world.configure((configuration) => {
      const { encryption: _, ...cluster } = configuration.clusters[PLAYGROUND_CLUSTER] ?? { nodes: [] };
      configuration.clusters[PLAYGROUND_CLUSTER] = {
        ...cluster,
        stores: ['local'],
        compression,
        ...(encrypted && { encryption: { recipients, identities: [{ file: identityFile }] } }),
      };
    });
    const cluster = resolveCluster(await loadConfiguration(world.playground.configFile), PLAYGROUND_CLUSTER);
    const first = await takeBackup();
    await putKeys(world.etcd(), 10, `/registry/secrets/${compression}-${encrypted}/`);
    const second = await takeBackup();
    pairs.push({ encoding: `${compression}${encrypted ? ' and age' : ''}`, cluster, first, second });
  }
});
after(async () => {
  await world.down();
  await rm(folder, { recursive: true, force: true });
});

async function takeBackup(): Promise<Stored> {
  const { backup, artifacts, node } = await world.run<BackupReport>('backup', { cluster: PLAYGROUND_CLUSTER });
  const { address } = world.playground.nodes.find(({ name }) => name === node) ?? { address: '' };
  const key = manifestKey(PLAYGROUND_CLUSTER, address, backup);
  const keys = [key, ...artifacts.map(({ copies }) => copies[0]?.key ?? '')];
  const contents = await Promise.all(keys.map(async (each) => await readFile(join(world.playground.localStore, each))));
  const files = new Map(keys.map((each, index) => [each, contents[index] ?? Buffer.alloc(0)]));
  return { manifest: parseManifest(String(files.get(key)), key), manifestKey: key, files };
}

/** A store with one backup in which some files are others. */
async function inStore<T>(
  { cluster, first }: Pair,
  changes: Map<string, Buffer>,
  work: (cluster: Cluster, scratch: string) => Promise<T>,
): Promise<T> {
  const place = await mkdtemp(join(folder, 'case-'));
  const path = join(place, 'store');
  const scratch = join(place, 'scratch');
  await mkdir(scratch);
  for (const [key, bytes] of [...first.files, ...changes]) {
    await mkdir(dirname(join(path, key)), { recursive: true });
    await writeFile(join(path, key), bytes);
  }
  try {
    return await work({ ...cluster, stores: [{ type: 'filesystem', name: 'local', path }] }, scratch);
  } finally {
    await rm(place, { recursive: true });
  }
}

function openAll({ stores }: Cluster) {
  return stores.flatMap((store) => (store.type === 'filesystem' ? [filesystemStore(store)] : []));
}

/** What verify's drill finds. */
async function verified(pair: Pair, changes: Map<string, Buffer>): Promise<DrillOutcome> {
  return await inStore(pair, changes, async (cluster, scratch) => {
    const { backup, node } = pair.first.manifest;
    const options = { scratch, now: () => new Date(), signal: AbortSignal.timeout(60_000) };
    return await drillBackup(cluster, openAll(cluster), { backup, nodeAddress: node.address }, options);
  });
}

/** Why a restore refuses the backup; undefined when it takes it. */
async function refusal(pair: Pair, changes: Map<string, Buffer>): Promise<FailureType | undefined> {
  return await inStore(pair, changes, async (cluster, scratch) => {
    const signal = AbortSignal.timeout(60_000);
    try {
      const catalogue = await readCatalogue(cluster, openAll(cluster), signal);
      await drill(cluster, findBackup(catalogue, pair.first.manifest.backup), { scratch, signal });
      return undefined;
    } catch (error) {
      if (!(error instanceof SalvorError)) throw error;
      return error.type;
    }
  });
}

test('undamaged, every one of them is proven, and a restore takes it', async () => {
  for (const pair of pairs) {
    const { verified: result, corrupt } = await verified(pair, new Map());
    assert.deepEqual([result.proof, corrupt], ['restored', undefined], pair.encoding);
    assert.equal(await refusal(pair, new Map()), undefined, pair.encoding);
  }
});

test(`${DAMAGES} damages at random: each one is noticed by verify, and refused by a restore`, async (t) => {
  const seed = Number(environmentVariable('SALVOR_TEST_SEED') ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; SALVOR_TEST_SEED=${seed} repeats it`);
  const random = seeded(seed);
  const counts = new Map<string, number>();
  for (let round = 0; round < DAMAGES; round += 1) {
    const pair = pairs[round % pairs.length];
    assert.ok(pair);
    const { key, kind, how, bytes } = damage(pair, random);
    const what = `round ${round}, seed ${seed}: ${kind} (${pair.encoding}): ${how}`;
    const changes = new Map([[key, bytes]]);
    const outcome = await verified(pair, changes).catch((error: unknown) =>
      assert.fail(`${what}: ${messageOf(error)}`),
    );
    assert.ok(outcome.corrupt, `verify noticed nothing; ${what}`);
    assert.ok(
      outcome.verified.checks.some(({ name, ok }) => !ok && name.startsWith(kind)),
      `it names the ${kind}; ${what}: ${outcome.corrupt}`,
    );
    assert.equal(outcome.verified.proof, 'written', what);
    // Static resources are no part of a restore.
    if (kind !== 'static-resources') {
      const type = await refusal(pair, changes);
      assert.ok(type && REFUSALS.includes(type), `a restore would take it (${type ?? 'gladly'}); ${what}`);
    }
    const group = `${kind}: ${how.replaceAll(/\d+/g, 'N').replaceAll(/field \S+/g, 'field')}`;
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  t.diagnostic(
    [...counts]
      .map(([group, count]) => `${count} × ${group}`)
      .sort()
      .join('; '),
  );
});

function damage({ first, second }: Pair, random: () => number): Damage & { key: string; kind: string } {
  const chance = random();
  if (chance < 0.4) {
    const there = first.files.get(first.manifestKey) ?? Buffer.alloc(0);
    const other = second.files.get(second.manifestKey) ?? Buffer.alloc(0);
    return { key: first.manifestKey, kind: 'manifest', ...damageManifest(there, other, random) };
  }
  // With these the snapshot is restored all the same, which takes its time.
  const kind = chance < 0.45 ? 'static-resources' : 'snapshot';
  const [own, others] = [first, second].map(({ manifest, files }) => {
    const key = manifest.artifacts.find((artifact) => artifact.kind === kind)?.key ?? '';
    return { key, bytes: files.get(key) ?? Buffer.alloc(0) };
  });
  if (!own || !others) throw new Error(`no ${kind}`);
  return { key: own.key, kind, ...damageBytes(own.bytes, others.bytes, random) };
}

describe('A manifest that was changed on purpose, with a digest that fits', () => {
  const SHA256 = 'ab'.repeat(32);
  // What a drill compares with the bytes themselves can't be changed unnoticed; the rest only the digest protects,
  // which is no signature.
  const EDITS: [path: string, to: unknown, seen: 'corrupt' | 'missing' | 'unseen'][] = [
    ['backup', '20200101-000000', 'corrupt'],
    ['cluster', 'another', 'corrupt'],
    ['node.address', '10.9.9.9', 'corrupt'],
    ['etcd.revision', '1', 'corrupt'],
    ['etcd.totalKeys', 1, 'corrupt'],
    ['etcd.hashKv.hash', '1', 'corrupt'],
    ['artifacts.0.kind', 'volume', 'corrupt'],
    ['artifacts.0.compression', 'none', 'corrupt'],
    ['artifacts.0.encrypted', true, 'corrupt'],
    ['artifacts.0.content.bytes', 1, 'corrupt'],
    ['artifacts.0.content.sha256', SHA256, 'corrupt'],
    ['artifacts.0.stored.bytes', 1, 'corrupt'],
    ['artifacts.0.stored.sha256', SHA256, 'corrupt'],
    ['artifacts.1.stored.sha256', SHA256, 'corrupt'],
    ['artifacts.0.key', 'elsewhere/snapshot.db', 'missing'],
    ['etcd.hashKv.compactRevision', '77', 'unseen'],
    ['takenAt', '2020-01-01T00:00:00.000Z', 'unseen'],
    ['salvor', '9.9.9', 'unseen'],
    ['node.name', 'another', 'unseen'],
    ['etcd.version', '9.9.9', 'unseen'],
    ['etcd.clusterId', '1', 'unseen'],
    ['etcd.memberId', '1', 'unseen'],
    ['artifacts.0.stores', ['another'], 'unseen'],
  ];

  for (const [path, to, seen] of EDITS) {
    const verdict = { corrupt: 'is noticed', missing: 'leaves nothing to restore', unseen: 'is not noticed' }[seen];
    test(`${path}: ${verdict}`, async () => {
      const pair = pairs.find(({ encoding }) => encoding === 'zstd');
      assert.ok(pair);
      const { manifest, manifestKey: key } = pair.first;
      const text = formatManifest(withField(manifest, path.split('.'), () => to) as Manifest);
      const changes = new Map([[key, Buffer.from(text)]]);
      if (seen === 'missing') {
        await assert.rejects(verified(pair, changes), { type: 'ArtifactMissing' });
        return;
      }
      const { corrupt, verified: result } = await verified(pair, changes);
      assert.equal(corrupt !== undefined, seen === 'corrupt', corrupt);
      if (seen === 'unseen') assert.equal(result.proof, 'restored');
    });
  }
});

describe('Whole operations on a damaged backup', () => {
  /** What a restore would change. */
  async function stateOf(): Promise<unknown> {
    const { header } = await world.etcd().get('nothing').exec();
    const { members } = await world.etcd().cluster.memberList({});
    const files = await Promise.all(
      world.playground.nodes.map(async ({ dataDir }) => [
        (await readdir(dirname(dataDir))).sort(),
        (await readdir(join(dataDir, 'member'))).sort(),
      ]),
    );
    return {
      clusterId: header.cluster_id,
      revision: header.revision,
      members: members.map(({ ID }) => ID).sort(),
      files,
    };
  }

  for (const [what, change] of [
    ['a flipped bit', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 100 ? byte ^ 4 : byte)))],
    ['half of it', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['nothing', () => Buffer.alloc(0)],
    ["another backup's snapshot", (_bytes: Buffer, other: Buffer) => other],
  ] as const) {
    for (const encoding of ['none', 'zstd and age']) {
      test(`${what} in place of a snapshot (${encoding}): verify fails, a restore refuses, and nothing is touched`, async () => {
        const pair = pairs.find((each) => each.encoding === encoding);
        assert.ok(pair);
        const [snapshot] = pair.first.manifest.artifacts;
        const [other] = pair.second.manifest.artifacts;
        const bytes = pair.first.files.get(snapshot?.key ?? '');
        const path = join(world.playground.localStore, snapshot?.key ?? '');
        assert.ok(bytes);
        await writeFile(path, change(bytes, pair.second.files.get(other?.key ?? '') ?? Buffer.alloc(0)));
        try {
          await refusesEverything(pair);
        } finally {
          await writeFile(path, bytes);
        }
      });
    }
  }

  test('an edited manifest: verify fails, a restore refuses, and nothing is touched', async () => {
    const [pair] = pairs;
    assert.ok(pair);
    const path = join(world.playground.localStore, pair.first.manifestKey);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/"revision": "\d+"/, '"revision": "1"'));
    try {
      await refusesEverything(pair);
    } finally {
      await writeFile(path, text);
    }
  });

  async function refusesEverything({ first, cluster }: Pair): Promise<void> {
    const { backup } = first.manifest;
    // The worker's identities: those of this encoding.
    await world.configure((configuration) => {
      Object.assign(configuration.clusters[PLAYGROUND_CLUSTER] ?? {}, { encryption: cluster.encryption });
    });
    const beforehand = await stateOf();
    await assert.rejects(
      world.run('verify', { cluster: PLAYGROUND_CLUSTER, backup }),
      (error) => failureTypeIn(error) === 'BackupCorrupt',
    );
    const order = { cluster: PLAYGROUND_CLUSTER, confirm: PLAYGROUND_CLUSTER, approve: 'auto', backup };
    await assert.rejects(world.run('restore', order), (error) => {
      const type = failureTypeIn(error);
      return REFUSALS.some((refused) => refused === type);
    });
    assert.deepEqual(await stateOf(), beforehand);
  }
});
