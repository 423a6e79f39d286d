/** A playground whose control plane is the lab's three kubeadm nodes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { labMissing, labStatus } from '../../playground/lab/lab.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { environment } from '../../adapters/environment.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));
const missing = await labMissing();

const worldSchema = z.object({
  configFile: z.string(),
  temporalEnvironment: z.record(z.string(), z.string()),
  kubeconfig: z.string(),
  ssh: z.array(z.array(z.string()).min(1)),
});
const statusSchema = z.object({ parts: z.array(z.object({ name: z.string(), running: z.boolean() })) });

test(
  'salvor playground up --flavour kubeadm: backed up over SSH, up again in place, and down',
  { skip: missing.length > 0 && missing.join('; ') },
  async (t) => {
    const parent = await mkdtemp(join(tmpdir(), 'salvor-playground-'));
    const directory = join(parent, 'world');
    async function salvor(args: string[], env: Record<string, string> = {}): Promise<unknown> {
      const { stdout } = await promisify(execFile)(SALVOR, [...args, '--output', 'json'], {
        env: { ...environment(), ...env },
        maxBuffer: 16 * 1024 ** 2,
      });
      return JSON.parse(stdout);
    }
    const playground = (...args: string[]) => salvor(['playground', ...args, '--directory', directory]);
    t.after(async () => {
      await playground('down');
      await rm(parent, { recursive: true });
    });

    const world = worldSchema.parse(await playground('up', '--flavour', 'kubeadm'));
    const env = { ...world.temporalEnvironment, SALVOR_CONFIG: world.configFile };
    const backup = z
      .object({ state: z.string(), artifacts: z.array(z.object({ kind: z.string() })) })
      .parse(await salvor(['backup', 'playground', '--override', 'young-cluster', '--override', 'rollout'], env));
    assert.equal(backup.state, 'complete');
    // One of each node, beside the snapshot.
    assert.equal(backup.artifacts.filter(({ kind }) => kind === 'static-resources').length, 3);

    for (const [program = '', ...args] of world.ssh) {
      const { stdout } = await promisify(execFile)(program, [...args, 'hostname']);
      assert.match(stdout, /^n[123]\n$/);
    }
    const { parts } = statusSchema.parse(await playground('status'));
    assert.deepEqual(
      parts.map(({ name, running }) => `${name} ${running}`),
      ['n1 true', 'n2 true', 'n3 true', 'temporal true', 's3 true', 'worker true'],
    );

    await assert.rejects(
      playground('up', '--flavour', 'etcd'),
      (error: object) => 'stdout' in error && /take it down first to change that/.test(String(error.stdout)),
    );
    const { path: kubectl } = await provideTool('kubectl');
    await promisify(execFile)(kubectl, ['--kubeconfig', world.kubeconfig, 'create', 'configmap', 'kept']);
    assert.deepEqual(worldSchema.parse(await playground('up')), world);
    await promisify(execFile)(kubectl, ['--kubeconfig', world.kubeconfig, 'get', 'configmap', 'kept']);

    await playground('down');
    assert.deepEqual(
      (await labStatus()).nodes.filter(({ up }) => up),
      [],
    );
    await assert.rejects(stat(directory), { code: 'ENOENT' });
  },
);
