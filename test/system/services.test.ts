import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Component } from '../../adapters/flavours/control-plane.ts';
import { controlPlaneFor } from '../../adapters/flavours/index.ts';
import { servicesControlPlane } from '../../adapters/flavours/services/commands.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { type ClusterNode, type Service, serviceCommands } from '../../domain/configuration/nodes.ts';

const signal = AbortSignal.timeout(120_000);
const host = localHost('m1');

function nodeWith(service: Service | undefined): ClusterNode {
  return {
    name: 'm1',
    address: '10.0.0.1',
    connection: 'local',
    etcd: {
      memberName: 'm1',
      clientUrl: 'https://10.0.0.1:2379',
      peerUrl: 'https://10.0.0.1:2380',
      dataDir: '/var/lib/etcd',
      ...(service && { service }),
    },
  };
}

describe('a component that is run by commands', () => {
  let directory: string;
  let pidFile: string;
  let calls: string;
  let service: Service;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    pidFile = join(directory, 'pid');
    calls = join(directory, 'calls');
    await writeFile(calls, '');
    service = {
      start: ['sh', '-c', `echo start >>${calls}; sleep 300 >/dev/null 2>&1 & echo $! >${pidFile}`],
      stop: ['sh', '-c', `echo stop >>${calls}; kill $(cat ${pidFile}); rm ${pidFile}`],
      status: ['sh', '-c', `test -e ${pidFile} && kill -0 $(cat ${pidFile})`],
    };
  });
  afterEach(async () => {
    await host.run(['sh', '-c', `test -e ${pidFile} && kill $(cat ${pidFile})`], { signal });
    await rm(directory, { recursive: true });
  });

  function etcd(changed: Partial<Service> = {}): Component {
    return servicesControlPlane(nodeWith({ ...service, ...changed }), host).etcd;
  }

  test('is started and stopped once, however often it is asked for', async () => {
    const component = etcd();
    assert.equal(await component.status(signal), 'stopped');
    assert.deepEqual(await component.start(signal, 10_000), { changed: true });
    assert.deepEqual(await component.start(signal, 10_000), { changed: false });
    assert.equal(await component.status(signal), 'running');
    assert.deepEqual(await component.stop(signal, 10_000), { changed: true });
    assert.deepEqual(await component.stop(signal, 10_000), { changed: false });
    assert.equal(await component.status(signal), 'stopped');
    assert.equal(await readFile(calls, 'utf8'), 'start\nstop\n');
  });

  test('that may be started anew at any moment is stopped also when it seems to be', async () => {
    assert.deepEqual(await etcd().stop(signal, 10_000, { restarts: true }), { changed: false });
    assert.equal(await readFile(calls, 'utf8'), 'stop\n');
  });

  test('is waited for while it ends after its stop command has', async () => {
    const component = etcd({
      stop: ['sh', '-c', `(sleep 1; kill $(cat ${pidFile}); rm ${pidFile}) >/dev/null 2>&1 &`],
    });
    await component.start(signal, 10_000);
    assert.deepEqual(await component.stop(signal, 10_000), { changed: true });
    assert.equal(await component.status(signal), 'stopped');
  });

  test('whose start command fails is reported with what the command said', async () => {
    const component = etcd({ start: ['sh', '-c', 'echo "the unit is masked" >&2; exit 5'] });
    await assert.rejects(component.start(signal, 10_000), {
      type: 'CommandFailed',
      message: /m1: `sh -c .*` failed \(exit code 5\): the unit is masked/s,
    });
  });

  test('that does not stop within its deadline is stuck', async () => {
    const component = etcd({ stop: ['echo', 'stopping in the background'] });
    await component.start(signal, 10_000);
    await assert.rejects(component.stop(signal, 500), {
      type: 'ComponentStuck',
      message: /m1: etcd is not stopped 0.5 s after `echo .*`.*stopping in the background/s,
    });
  });

  test('whose status command can not be run is neither running nor stopped', async () => {
    await assert.rejects(etcd({ status: ['salvor-no-such-command'] }).stop(signal, 1_000), { type: 'ToolMissing' });
    await assert.rejects(etcd({ status: ['sh', '-c', 'salvor-no-such-command'] }).stop(signal, 1_000), {
      type: 'CommandFailed',
      message: /can't tell whether etcd runs \(exit code 127\)/,
    });
    assert.equal(await readFile(calls, 'utf8'), '');
  });

  for (const [command, exitCode, says, expected] of [
    ['systemctl', 4, '', 'CommandFailed'],
    ['systemctl', 1, 'Failed to connect to bus', 'CommandFailed'],
    ['systemctl', 3, '', 'stopped'],
    ['docker', 1, 'Cannot connect to the Docker daemon', 'CommandFailed'],
    ['docker', 1, 'No such container: etcd', 'CommandFailed'],
    ['podman', 125, 'Error: no such container etcd', 'CommandFailed'],
    ['docker', 1, 'container 9f86d0 is not running', 'stopped'],
  ] as const) {
    test(`with ${command} answering ${exitCode} "${says}" is ${expected === 'stopped' ? 'stopped' : 'not taken for stopped'}`, async () => {
      const program = join(directory, command);
      await writeFile(program, `#!/bin/sh\necho "${says}" >&2\nexit ${exitCode}\n`, { mode: 0o700 });
      const status = etcd({ status: [program, 'is-active', 'etcd'] }).status(signal);
      if (expected === 'stopped') assert.equal(await status, 'stopped');
      else await assert.rejects(status, { type: expected });
    });
  }

  test('that systemd is still stopping, or about to start again, counts as running', async () => {
    for (const word of ['deactivating', 'activating']) {
      assert.equal(await etcd({ status: ['sh', '-c', `echo ${word}; exit 3`] }).status(signal), 'running');
    }
  });

  test('that systemd is about to start again has to be stopped, though it does not run', async () => {
    const state = join(directory, 'state');
    await writeFile(state, 'activating');
    const component = etcd({
      status: ['sh', '-c', `cat ${state}; exit 3`],
      stop: ['sh', '-c', `echo stop >>${calls}; echo inactive >${state}`],
    });
    assert.equal(await component.status(signal), 'running');
    assert.deepEqual(await component.stop(signal, 10_000), { changed: true });
    assert.equal(await readFile(calls, 'utf8'), 'stop\n');
  });

  for (const program of ['docker', 'podman', 'nerdctl'] as const) {
    for (const [word, expected] of [
      ['running', 'running'],
      ['paused', 'running'],
      ['restarting', 'running'],
      ['created', 'stopped'],
      ['exited', 'stopped'],
      ['dead', 'stopped'],
      ['a word that nobody knows', 'CommandFailed'],
    ] as const) {
      test(`in a container that ${program} calls "${word}" is ${expected === 'CommandFailed' ? 'not taken for stopped' : expected}`, async () => {
        const path = join(directory, program);
        await writeFile(path, `#!/bin/sh\necho "${word}"\n`, { mode: 0o700 });
        const preset = serviceCommands(
          program === 'docker' ? { docker: 'etcd' } : program === 'podman' ? { podman: 'etcd' } : { nerdctl: 'etcd' },
        );
        const status = etcd({ status: [path, ...preset.status.slice(1)] }).status(signal);
        if (expected === 'CommandFailed') await assert.rejects(status, { type: expected });
        else assert.equal(await status, expected);
      });
    }
  }
});

test('a node without commands is refused with the setting that is missing', () => {
  assert.throws(() => servicesControlPlane(nodeWith(undefined), host), {
    type: 'InvalidConfiguration',
    message: /m1: .*set etcd\.service/,
  });
});

test('a flavour that can not be started and stopped yet is refused by name', () => {
  const node = nodeWith(undefined);
  const cluster = {
    name: 'prod',
    digest: '0123456789abcdef',
    flavour: 'openshift',
    stores: [],
    compression: 'none',
    schedules: {},
    nodes: [node],
  } as const;
  assert.throws(() => controlPlaneFor({ ...cluster, stores: [], nodes: [node] }, node, host), {
    type: 'InvalidConfiguration',
    message: /can't start and stop .*"openshift" yet/,
  });
});
