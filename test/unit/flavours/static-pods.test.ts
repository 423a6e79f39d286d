import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Component, ControlPlane } from '../../../adapters/flavours/control-plane.ts';
import { staticPodsControlPlane } from '../../../adapters/flavours/kubeadm/static-pods.ts';
import { localHost } from '../../../adapters/hosts/local.ts';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import { environmentVariable } from '../../../adapters/environment.ts';
import { until } from '../../support/until.ts';

const NAMES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/**
 * Answers from files: `<name>.container` and `<name>.pod` are there while they run. Given a name for an ID, it ends
 * that.
 */
const CRICTL = `#!/bin/sh
cd "$STATE" || exit
call=$*
[ ! -e broken ] || { echo "validate service connection: no such socket" >&2; exit 1; }
case "$*" in
  "ps --all "*) [ ! -e ended ] || cat ended ;;
  "ps "*) for name in ${NAMES.join(' ')}; do case "$*" in *"container.name=$name "*) [ ! -e "$name.container" ] || echo "$name";; esac; done ;;
  "pods "*) for name in ${NAMES.join(' ')}; do case "$*" in *"component=$name "*) [ ! -e "$name.pod" ] || echo "$name";; esac; done ;;
  "stop "*) shift 3; rm -f -- "$1.container" ;;
  "rm "*) rm -f ended ;;
  "stopp "*) rm -f -- "$2.pod" "$2.container" ;;
esac
# Only now: who waits for a call may undo what it did.
echo "$call" >>calls
`;
const SYSTEMCTL = `#!/bin/sh
echo "systemctl $*" >>"$STATE/calls"
`;
const PGREP = `#!/bin/sh
[ ! -e "$STATE/kubelet-is-down" ]
`;

/** A node whose kubelet looks at its manifests now and then. */
class FakeNode {
  readonly directory: string;
  readonly plane: ControlPlane;
  #stopped = new AbortController();
  #kubelet: Promise<void> = Promise.resolve();

  constructor(directory: string, clientUrl: string) {
    this.directory = directory;
    const local = localHost('m1');
    const env = {
      STATE: this.at('state'),
      PATH: `${this.at('bin')}${delimiter}${environmentVariable('PATH') ?? ''}`,
    };
    const node: ClusterNode = {
      name: 'm1',
      address: '127.0.0.1',
      connection: 'local',
      etcd: { memberName: 'm1', clientUrl, peerUrl: 'https://127.0.0.1:2380', dataDir: '/var/lib/etcd' },
      apiServer: { url: 'https://lb.example:443' },
    };
    const host = {
      ...local,
      run: (argv: readonly [string, ...string[]], options: Parameters<typeof local.run>[1]) =>
        local.run(argv, { ...options, env }),
    };
    this.plane = staticPodsControlPlane(node, host, {
      directory: this.at('kubernetes'),
      patience: { stopSandboxMs: 2_000, newSandboxMs: 3_000, newPodMs: 2_000, startAgainMs: 500 },
    });
  }

  at(path: string): string {
    return join(this.directory, path);
  }

  manifest(name: string): string {
    return this.at(`kubernetes/manifests/${name}.yaml`);
  }

  aside(name: string): string {
    return this.at(`kubernetes/salvor-stopped/${name}.yaml`);
  }

  async create(): Promise<void> {
    for (const folder of ['bin', 'state', 'kubernetes/manifests']) await mkdir(this.at(folder), { recursive: true });
    for (const [name, script] of [
      ['crictl', CRICTL],
      ['pgrep', PGREP],
      ['systemctl', SYSTEMCTL],
    ] as const) {
      await this.command(name, script);
    }
    for (const name of NAMES) {
      await writeFile(this.manifest(name), 'kind: Pod\n');
      await this.set(name, true);
    }
  }

  async command(name: string, script: string): Promise<void> {
    await writeFile(this.at(`bin/${name}`), script);
    await chmod(this.at(`bin/${name}`), 0o755);
  }

  async set(name: string, runs: boolean): Promise<void> {
    for (const file of [`state/${name}.container`, `state/${name}.pod`]) {
      if (runs) await writeFile(this.at(file), '');
      else await rm(this.at(file), { force: true });
    }
  }

  /** Of crictl and systemctl, each when it was done. */
  async calls(): Promise<string[]> {
    return (await readFile(this.at('state/calls'), 'utf8').catch(() => '')).split('\n');
  }

  startKubelet(everyMs: number): void {
    const { signal } = this.#stopped;
    this.#kubelet = (async () => {
      while (!signal.aborted) {
        await delay(everyMs, undefined, { signal }).catch(() => undefined);
        const wanted = await readdir(this.at('kubernetes/manifests'));
        for (const name of NAMES) await this.set(name, wanted.includes(`${name}.yaml`));
      }
    })();
  }

  async stopKubelet(): Promise<void> {
    this.#stopped.abort();
    await this.#kubelet;
  }
}

describe('a component that the kubelet runs', () => {
  const signal = AbortSignal.timeout(120_000);
  let node: FakeNode;
  let etcd: Component;
  beforeEach(async () => {
    node = new FakeNode(await mkdtemp(join(tmpdir(), 'salvor-test-')), 'https://127.0.0.1:1');
    await node.create();
    etcd = node.plane.etcd;
  });
  afterEach(async () => {
    await node.stopKubelet();
    await rm(node.directory, { recursive: true });
  });

  test('is stopped by moving its manifest out and started by moving it back, each only once', async () => {
    node.startKubelet(30);
    assert.equal(await etcd.status(signal), 'running');
    assert.deepEqual(await etcd.stop(signal, 30_000), { changed: true });
    assert.equal(await etcd.status(signal), 'stopped');
    assert.deepEqual(await readdir(node.at('kubernetes/salvor-stopped')), ['etcd.yaml']);
    assert.deepEqual(await etcd.stop(signal, 30_000), { changed: false });
    assert.deepEqual(await etcd.start(signal, 30_000), { changed: true });
    assert.equal(await etcd.status(signal), 'running');
    assert.deepEqual(await readdir(node.at('kubernetes/salvor-stopped')), []);
    assert.deepEqual(await etcd.start(signal, 30_000), { changed: false });
  });

  test('that ended often is not waited for: what the kubelet counts by is removed before it starts again', async () => {
    node.startKubelet(30);
    await etcd.stop(signal, 30_000);
    await writeFile(node.at('state/ended'), 'one\nother\n');
    await etcd.start(signal, 30_000);
    const calls = await node.calls();
    assert.ok(calls.includes('rm one other'), calls.join('\n'));
  });

  test('that died is not waited for either', async () => {
    await rm(node.at('state/etcd.container'));
    await writeFile(node.at('state/ended'), 'one\n');
    const starting = etcd.start(signal, 30_000);
    await until('the kubelet is made to look', async () => (await node.calls()).includes('stopp etcd'));
    const calls = await node.calls();
    assert.ok(calls.includes('rm one'));
    assert.ok(calls.includes('stop --timeout 1 kube-apiserver'), 'it would keep the kubelet waiting');
    await node.set('etcd', true);
    assert.deepEqual(await starting, { changed: true });
  });

  test('that its kubelet is still making is left to it', async () => {
    await rm(node.at('state/etcd.container'));
    const starting = etcd.start(signal, 30_000);
    await delay(1_500);
    await node.set('etcd', true);
    assert.deepEqual(await starting, { changed: true });
    assert.ok(!(await node.calls()).includes('stopp etcd'));
  });

  test('is stopped without the others', async () => {
    node.startKubelet(30);
    const { apiServer, controllerManager, scheduler } = node.plane;
    for (const component of [apiServer, controllerManager, scheduler]) await component?.stop(signal, 30_000);
    assert.equal(await etcd.status(signal), 'running');
    assert.equal(await apiServer?.status(signal), 'stopped');
  });

  test('that was half stopped when somebody was killed is stopped all the same', async () => {
    node.startKubelet(30);
    await mkdir(node.at('kubernetes/salvor-stopped'));
    await rename(node.manifest('etcd'), node.aside('etcd'));
    await node.set('etcd', true);
    assert.equal(await etcd.status(signal), 'running');
    assert.deepEqual(await etcd.stop(signal, 30_000), { changed: false });
    assert.equal(await etcd.status(signal), 'stopped');
  });

  test('is not taken for stopped before the kubelet has seen that the manifest is gone', async () => {
    // Until then it would start the container again.
    const stopping = etcd.stop(signal, 30_000);
    const isOver = stopping.then(() => true);
    await delay(1_500);
    assert.equal(await Promise.race([isOver, delay(0, false)]), false);
    node.startKubelet(10);
    assert.deepEqual(await stopping, { changed: true });
  });

  test('of a node whose kubelet is down is stopped by the container runtime', async () => {
    await writeFile(node.at('state/kubelet-is-down'), '');
    assert.deepEqual(await etcd.stop(signal, 60_000), { changed: true });
    assert.equal(await etcd.status(signal), 'stopped');
  });

  test('whose sandbox the kubelet leaves is stopped by the container runtime, and again when the kubelet starts it once more', async () => {
    const sandboxes = async () => (await node.calls()).filter((call) => call === 'stopp etcd').length;
    const stopping = etcd.stop(signal, 60_000);
    await until('the sandbox is stopped', async () => (await sandboxes()) === 1 || undefined);
    // A kubelet that still has the manifest starts it again.
    await node.set('etcd', true);
    assert.deepEqual(await stopping, { changed: true });
    assert.equal(await sandboxes(), 2);
    assert.equal(await etcd.status(signal), 'stopped');
  });

  test('whose sandbox somebody stopped who was killed then is stopped again when the kubelet starts it once more', async () => {
    await mkdir(node.at('kubernetes/salvor-stopped'));
    await rename(node.manifest('etcd'), node.aside('etcd'));
    await node.set('etcd', false);
    const stopping = etcd.stop(signal, 60_000);
    const isOver = stopping.then(() => true);
    await delay(1_000);
    assert.equal(await Promise.race([isOver, delay(0, false)]), false);
    await node.set('etcd', true);
    assert.deepEqual(await stopping, { changed: false });
    assert.equal(await etcd.status(signal), 'stopped');
  });

  test('that was stopped long ago is not waited for', async () => {
    node.startKubelet(30);
    await etcd.stop(signal, 30_000);
    await node.stopKubelet();
    // The clock of a file can't be set back; what tells of it can.
    await node.command('find', '#!/bin/sh\n');
    // Waiting for a new sandbox would take longer than this.
    assert.deepEqual(await etcd.stop(signal, 1_000), { changed: false });
  });

  test('that a kubelet does not begin to start is started once the kubelet is started again', async () => {
    node.startKubelet(30);
    await etcd.stop(signal, 30_000);
    await node.stopKubelet();
    const starting = etcd.start(signal, 60_000);
    await until('the kubelet is started again', async () => (await node.calls()).includes('systemctl restart kubelet'));
    await node.set('etcd', true);
    assert.deepEqual(await starting, { changed: true });
  });

  test('that a kubelet does not start is stuck, and the message says why', async () => {
    node.startKubelet(30);
    await etcd.stop(signal, 30_000);
    await node.stopKubelet();
    await writeFile(node.at('state/kubelet-is-down'), '');
    await assert.rejects(etcd.start(signal, 300), {
      type: 'ComponentStuck',
      message: /m1: etcd is not running although .*manifests\/etcd\.yaml.*the kubelet does not run/,
    });
    // The next try goes on from there.
    await node.set('etcd', true);
    await etcd.start(signal, 300);
  });

  test('with a manifest in both places, or in none, is left alone', async () => {
    // Begun one after the other: what is refused before it is waited for would end the test.
    const acts = [() => etcd.status(signal), () => etcd.stop(signal, 1_000), () => etcd.start(signal, 1_000)];
    await mkdir(node.at('kubernetes/salvor-stopped'));
    await writeFile(node.aside('etcd'), 'kind: Pod\n');
    for (const act of acts) {
      await assert.rejects(act, { type: 'UnsafeState', message: /manifests\/etcd\.yaml.*salvor-stopped\/etcd\.yaml/ });
    }
    await rm(node.aside('etcd'));
    await rm(node.manifest('etcd'));
    for (const act of acts) {
      await assert.rejects(act, { type: 'UnsafeState', message: /etcd has no manifest/ });
    }
  });

  test('is not taken for stopped when the container runtime can not be asked', async () => {
    await mkdir(node.at('kubernetes/salvor-stopped'));
    await rename(node.manifest('etcd'), node.aside('etcd'));
    await writeFile(node.at('state/broken'), '');
    await assert.rejects(etcd.status(signal), {
      type: 'CommandFailed',
      message: /it is not known whether etcd runs.*no such socket/,
    });
  });

  test('is not taken for stopped while something listens on its port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      const other = new FakeNode(node.directory, `https://127.0.0.1:${address.port}`);
      node.startKubelet(30);
      await assert.rejects(other.plane.etcd.stop(signal, 1_000), {
        type: 'ComponentStuck',
        message: new RegExp(`port ${address.port} is listened on`),
      });
      assert.equal(await other.plane.etcd.status(signal), 'running');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
