import assert from 'node:assert/strict';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireRoom, requireScratchRoom } from '../../../adapters/stores/room.ts';

const { bsize, blocks } = await statfs(tmpdir());
const MORE_THAN_THE_DISK = bsize * blocks + 1;
const local = { name: 'local', type: 'filesystem', path: tmpdir() } as const;

test('a backup that needs more than a disk has left is refused with both figures', async () => {
  await requireRoom(local, 1);
  await assert.rejects(requireRoom(local, MORE_THAN_THE_DISK), {
    type: 'NoSpace',
    message: new RegExp(`store "local": .* has \\d+ bytes left, and the backup may need ${MORE_THAN_THE_DISK}`),
  });
});

test('a database that the scratch folder has no room for is refused, naming the setting', async () => {
  assert.ok(Number(await requireScratchRoom(tmpdir(), 1)) > 0);
  await assert.rejects(requireScratchRoom(tmpdir(), MORE_THAN_THE_DISK), {
    type: 'NoSpace',
    message: /bytes left, and the database needs \d+.*SALVOR_SCRATCH/,
  });
});

test('a store without a disk of its own, or one that is not there, is left to its own check', async () => {
  await requireRoom({ ...local, path: join(tmpdir(), 'no-such-directory') }, MORE_THAN_THE_DISK);
  const bucket = { name: 'offsite', type: 's3', bucket: 'backups', region: 'us-east-1', pathStyle: true } as const;
  await requireRoom(bucket, MORE_THAN_THE_DISK);
});
