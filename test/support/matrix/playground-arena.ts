/** A playground of three etcd members, for a kill matrix. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { journalPath } from '../../../domain/node-paths.ts';
import type { BackupReport } from '../../../domain/operations/backup.ts';
import { bringUpPart, killPart, stopPart } from '../../../playground/handle.ts';
import { until } from '../until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, type World } from '../world.ts';
import type { Arena, Outcome } from './run-matrix.ts';

export const PLAYGROUND_TARGETS = ['worker', 'workflow', 'Temporal', 'etcd member', 'the step'] as const;
export type PlaygroundTarget = (typeof PLAYGROUND_TARGETS)[number];

interface State {
  keys: Record<string, string>;
  clusterId: string;
}

/** Takes the backup that every restore uses, and ends the playground's own worker. */
export async function playgroundArena(world: World): Promise<Arena<PlaygroundTarget>> {
  const { playground } = world;
  const parts = playground.nodes.map(({ name }) => `etcd-${name}`);
  await putKeys(world.etcd(), 100);
  const { backup } = await world.run<BackupReport>('backup', { cluster });
  const kept = await readKeys(world.etcd());
  await stopPart(playground, 'worker');
  let before: State = { keys: {}, clusterId: '' };
  let count = 0;

  async function stateOf(node: string): Promise<State> {
    const { header } = await world.etcd(node).get('nothing').exec();
    return { keys: await readKeys(world.etcd(node)), clusterId: header.cluster_id };
  }

  async function isInState(node: string, outcome: Outcome): Promise<boolean> {
    const now = await stateOf(node).catch(() => undefined);
    if (now === undefined) return false;
    assert.equal(now.clusterId !== before.clusterId, outcome === 'restored', `${node} is in cluster ${now.clusterId}`);
    assert.deepEqual(now.keys, outcome === 'restored' ? kept : before.keys);
    return true;
  }

  return {
    cluster,
    temporalAddress: playground.temporalAddress,
    configFile: playground.configFile,
    async unsettle() {
      count += 1;
      await world
        .etcd()
        .delete()
        .key(Object.keys(kept)[count % 100] ?? '')
        .exec();
      await putKeys(world.etcd(), 20, `/registry/later/${count}-`);
      before = await stateOf('m1');
    },
    async startRestore(resume) {
      const how = resume === undefined ? { approve: 'auto', backup, onFailure: 'rollback' } : { resume };
      return await world.start('restore', { cluster, confirm: cluster, ...how });
    },
    async kill(target, place) {
      if (target === 'Temporal') {
        await killPart(playground, 'temporal', 'SIGKILL');
        await bringUpPart(playground, 'temporal');
        return;
      }
      await killPart(playground, parts.find((part) => part === `etcd-${place}`) ?? 'etcd-m2', 'SIGKILL');
    },
    async tidy() {
      for (const part of ['temporal', ...parts]) await bringUpPart(playground, part);
    },
    async expectState(outcome) {
      for (const { name, dataDir } of playground.nodes) {
        await until(`${name} is ${outcome}`, async () => await isInState(name, outcome));
        await assert.rejects(access(journalPath(dataDir)), `${name} has no journal`);
      }
    },
  };
}
