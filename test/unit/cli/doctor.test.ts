import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkNodeVersion, checkTemporalApart, checkWorker, hostOf } from '../../../cli/doctor.ts';
import { parseConfiguration } from '../../../domain/configuration/resolve.ts';

function configuration(address: string) {
  return parseConfiguration(
    {
      stores: { local: { type: 'filesystem', path: '/b' } },
      clusters: { prod: { flavour: 'kubeadm', stores: ['local'], nodes: [{ name: 'm1', address }] } },
    },
    'test',
  );
}

describe('doctor', () => {
  it('refuses a Node.js that is too old', () => {
    for (const [version, ok] of [
      ['24.21.0', true],
      ['22.19.0', true],
      ['22.18.9', false],
      ['20.20.0', false],
    ] as const) {
      assert.equal(checkNodeVersion(version).ok, ok);
    }
  });

  it('finds a Temporal that runs on a node of the cluster that it would restore', async () => {
    const [check] = await checkTemporalApart('192.0.2.7:7233', configuration('192.0.2.7'));
    assert.equal(check?.ok, false);
    assert.match(check?.advice ?? '', /must not run on the cluster that it restores/);
  });

  it('lets a world on one machine pass, and says that it is none for real', async () => {
    for (const address of ['127.0.0.1', '127.0.0.11']) {
      const [check] = await checkTemporalApart('localhost:7233', configuration(address));
      assert.equal(check?.ok, true);
      assert.match(check?.advice ?? '', /not for a cluster that you need/);
    }
  });

  it('is content with a Temporal elsewhere', async () => {
    const checks = await checkTemporalApart('192.0.2.8:7233', configuration('192.0.2.7'));
    assert.deepEqual(
      checks.map(({ ok, advice }) => [ok, advice]),
      [[true, undefined]],
    );
  });

  it('reads the host of an address', () => {
    assert.equal(hostOf('temporal.example:7233'), 'temporal.example');
    assert.equal(hostOf('[fd00::1]:7233'), 'fd00::1');
    assert.equal(hostOf('localhost'), 'localhost');
  });

  it('takes a worker for gone that has not asked for work for longer than a live one would wait', () => {
    const now = new Date('2026-11-23T06:10:00Z');
    assert.equal(checkWorker('salvor', undefined, now).ok, false);
    assert.equal(checkWorker('salvor', new Date('2026-11-23T06:09:00Z'), now).ok, true);
    assert.equal(checkWorker('salvor', new Date('2026-11-23T06:08:00Z'), now).ok, false);
  });
});
