/** The lab itself: what every test of whole control planes takes for granted. It makes the lab's cluster anew. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CommandResult } from '../../adapters/hosts/host.ts';
import { messageOf } from '../../domain/errors.ts';
import { attempt, waitFor } from '../../playground/lab/commands.ts';
import {
  type Lab,
  labDown,
  labMissing,
  type LabNode,
  labReset,
  labStatus,
  labUp,
  type NodeNumber,
} from '../../playground/lab/lab.ts';
import { until } from '../support/until.ts';

/** Each test is skipped, and counted, where the lab can't run. */
const skip = (await labMissing()).join('; ') || false;
/** The first one's time holds the making of a golden copy, where there is none. */
const options = { skip, timeout: 900_000 };
const RESET_MS = 90_000;

let lab: Lab;

before(async () => {
  if (skip !== false) return;
  lab = await labReset({ nodes: 3 });
});
after(async () => {
  if (skip === false) await labDown();
});

function node(number: NodeNumber): LabNode {
  const found = lab.nodes.find((node) => node.number === number);
  assert.ok(found);
  return found;
}

/** ssh as the product calls it: nothing is asked, no key is taken on trust. */
async function ssh(destination: string, command: string, knownHosts = lab.ssh.knownHostsFile): Promise<CommandResult> {
  const settings = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'ConnectTimeout=5',
  ];
  const flags = settings.flatMap((setting) => ['-o', setting]);
  return await attempt(['ssh', '-F', 'none', '-i', lab.ssh.identityFile, ...flags, destination, command]);
}

async function initPids(): Promise<string[]> {
  return await Promise.all(lab.nodes.map(({ number }) => lab.onNode(number, ['stat', '-c', '%i', '/proc/1/ns/pid'])));
}

test(
  'three control planes are Ready, each with its etcd member, kube-apiserver, controller-manager and scheduler',
  options,
  async () => {
    const nodes = await lab.kubectl(
      'get',
      'nodes',
      '--output=jsonpath={range .items[*]}{.metadata.name} {.status.addresses[0].address}{"\\n"}{end}',
    );
    assert.equal(nodes, 'n1 10.123.0.11\nn2 10.123.0.12\nn3 10.123.0.13\n');
    const pods = await lab.kubectl('get', 'pods', '--namespace=kube-system', '--output=name');
    const parts = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
    const expected = parts.flatMap((part) => lab.nodes.map(({ name }) => `pod/${part}-${name}`));
    assert.deepEqual(pods.trim().split('\n').toSorted(), expected.toSorted());
    assert.match(
      await lab.etcdctl('endpoint', 'health', '--write-out=json'),
      /^\[(\{[^}]*"health":true[^}]*\},?){3}\]\n$/,
    );
  },
);

test(
  'each node is reached over SSH with strict host keys, as an unprivileged user who may use sudo',
  options,
  async () => {
    for (const { name, address } of lab.nodes) {
      assert.deepEqual(
        await ssh(
          `core@${address}`,
          'hostname; id -un; cat /etc/kubernetes/admin.conf >/dev/null 2>&1 || echo no; sudo -n id -un',
        ),
        {
          exitCode: 0,
          stdout: `${name}\ncore\nno\nroot\n`,
          stderr: '',
        },
      );
    }
    assert.equal((await attempt(['ssh', '-F', lab.ssh.configFile, 'n2', 'hostname'])).stdout, 'n2\n');
    assert.match((await ssh(`root@${node(1).address}`, 'true')).stderr, /Permission denied/);
  },
);

test('a node with another key than the known one is refused', options, async () => {
  const other = await readFile(join(lab.directory, 'ssh/n2-host-key.pub'), 'utf8');
  const lying = join(lab.directory, 'ssh/known_hosts-lying');
  await writeFile(lying, `${node(1).address} ${other}`);
  const { exitCode, stderr } = await ssh(`core@${node(1).address}`, 'true', lying);
  assert.equal(exitCode, 255);
  assert.match(stderr, /Host key verification failed/);
});

test(
  'crictl shows the etcd container, tells its process, and stops it; the kubelet starts another',
  options,
  async () => {
    const running = ['crictl', 'ps', '--name', '^etcd$', '-q'] as const;
    const id = (await lab.onNode(2, running)).trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    const list: unknown = JSON.parse(await lab.onNode(2, ['crictl', 'ps', '-a', '--id', id, '-o', 'json']));
    assert.partialDeepStrictEqual(list, {
      containers: [
        { id, metadata: { name: 'etcd' }, state: 'CONTAINER_RUNNING', labels: { 'io.kubernetes.pod.name': 'etcd-n2' } },
      ],
    });
    const pid = await lab.onNode(2, ['crictl', 'inspect', '-o', 'go-template', '--template', '{{.info.pid}}', id]);
    assert.equal(await lab.onNode(2, ['cat', `/proc/${pid.trim()}/comm`]), 'etcd\n');
    assert.equal(await lab.onNode(2, ['crictl', 'stop', id]), `${id}\n`);
    assert.equal((await lab.tryOnNode(2, ['kill', '-0', pid.trim()])).exitCode, 1);
    assert.partialDeepStrictEqual(JSON.parse(await lab.onNode(2, ['crictl', 'inspect', id])), {
      status: { state: 'CONTAINER_EXITED' },
    });
    await until('the kubelet has started another', async () => {
      const now = (await lab.onNode(2, running)).trim();
      return now !== '' && now !== id;
    });
    await lab.waitUntilWell();
  },
);

test('a lab that is up is left as it is by another up, and one of another size is refused', options, async () => {
  const before = await initPids();
  await labUp({ nodes: 3 });
  assert.deepEqual(await initPids(), before);
  await assert.rejects(labUp({ nodes: 1 }), { type: 'UnsafeState', message: /has 3 nodes, not 1/ });
  assert.deepEqual(await initPids(), before);
});

test(
  'after a power loss the two other nodes go on; the lost one comes back with its disk and catches up',
  options,
  async () => {
    await lab.onNode(3, ['sh', '-c', 'echo kept >/var/lib/on-disk; sync; echo lost >/run/in-memory']);
    await lab.powerOff(3);
    assert.deepEqual(
      (await labStatus()).nodes.map(({ up }) => up),
      [true, true, false],
    );
    assert.equal((await ssh(`core@${node(3).address}`, 'true')).exitCode, 255);
    await assert.rejects(lab.onNode(3, ['true']), { type: 'HostUnreachable' });
    // The lost one may have been the leader: a write waits for the next.
    await waitFor('a write that is taken', 60_000, async () => {
      const create = ['create', 'configmap', 'made-meanwhile', '--request-timeout=10s'];
      const answer = await lab.kubectl(...create).catch(messageOf);
      return /created|already exists/.test(answer) ? undefined : answer;
    });

    await lab.powerOn(3);
    assert.equal(
      await lab.onNode(3, ['sh', '-c', 'cat /var/lib/on-disk; ls /run/in-memory 2>/dev/null || echo gone']),
      'kept\ngone\n',
    );
    await lab.waitUntilWell();
    const there = ['--server', node(3).apiServerUrl, 'get', 'configmap', 'made-meanwhile', '--output=name'];
    assert.equal(await lab.kubectl(...there), 'configmap/made-meanwhile\n');
  },
);

test(
  'a reset gives a fresh cluster within seconds, and the nodes keep their names, addresses and keys',
  options,
  async (t) => {
    await lab.kubectl('create', 'configmap', 'of-the-old-cluster');
    const startedAt = performance.now();
    lab = await labReset();
    const tookMs = performance.now() - startedAt;
    t.diagnostic(`reset took ${(tookMs / 1_000).toFixed(1)} s`);
    assert.ok(tookMs < RESET_MS, `it took ${tookMs} ms`);
    assert.equal(await lab.kubectl('get', 'configmap', 'of-the-old-cluster', '--ignore-not-found'), '');
    for (const { name, address } of lab.nodes) {
      assert.equal((await ssh(`core@${address}`, 'hostname')).stdout, `${name}\n`);
    }
  },
);

test(
  'the workstation sees the nodes and nothing else; down takes all of it away and ends no stranger',
  options,
  async () => {
    const seen = await lab.operatorRun(['ip', '-4', '-o', 'route']);
    assert.match(seen.stdout, /^10\.123\.0\.0\/24 [^\n]*\n$/);
    const record = join(lab.directory, 'run', node(1).name);
    const text = await readFile(record, 'utf8');
    await lab.powerOff(1);
    // As if the pid had been used again meanwhile, by this very test.
    await writeFile(record, text.replace(/^\d+/, String(process.pid)));
    await labDown();
    assert.deepEqual(
      (await labStatus()).nodes.map(({ up }) => up),
      [false, false, false],
    );
    assert.equal((await attempt(['ip', 'link', 'show', 'lab-machine'])).exitCode, 1);
  },
);
