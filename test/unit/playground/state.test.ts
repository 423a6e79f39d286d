import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseConfiguration, resolveCluster } from '../../../domain/configuration/resolve.ts';
import { configurationText } from '../../../playground/configuration.ts';
import { isFree, portChooser } from '../../../playground/ports.ts';
import { newState, pathsOf, readState, writeState } from '../../../playground/state.ts';

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-state-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('a preferred port that is taken is replaced by another, and no port is given out twice', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    assert.equal(await isFree('127.0.0.1', address.port), false);
    const choose = portChooser(true);
    assert.notEqual(await choose('127.0.0.1', address.port), address.port);
    const ports = [];
    for (let turn = 0; turn < 20; turn++) ports.push(await choose('127.0.0.1', address.port));
    assert.equal(new Set(ports).size, ports.length);
  } finally {
    server.close();
  }
});

test('a state is read back as it was written, and its configuration resolves', async () => {
  await withDirectory(async (directory) => {
    assert.equal(await readState(directory), undefined);
    for (const kubernetes of [true, false]) {
      const state = await newState(directory, kubernetes);
      await writeState(directory, state);
      assert.deepEqual(await readState(directory), state);
      const text = configurationText(state, pathsOf(directory));
      const cluster = resolveCluster(parseConfiguration(parse(text), 'salvor.yaml'), 'playground');
      assert.equal(cluster.flavour, kubernetes ? 'services' : 'etcd');
      assert.deepEqual(
        cluster.stores.map((store) => store.name),
        ['local', 'offsite'],
      );
      assert.equal(cluster.nodes.length, 3);
      assert.equal(cluster.nodes[0]?.etcd.dataDir, join(directory, 'nodes', 'm1', 'etcd'));
    }
  });
});

test('a directory with something else in it is not taken for a playground', async () => {
  await withDirectory(async (directory) => {
    await writeFile(join(directory, 'thesis.tex'), '');
    await assert.rejects(readState(directory), { type: 'UnsafeState', message: /is not a playground/ });
  });
});

test('a state that was changed by hand is refused, not guessed at', async () => {
  await withDirectory(async (directory) => {
    await writeFile(join(directory, 'playground.json'), '{"formatVersion": 1');
    await assert.rejects(readState(directory), { type: 'UnsafeState' });
  });
});
