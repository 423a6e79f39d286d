import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openMember } from '../../adapters/etcd/client.ts';
import type { MemberEndpoint } from '../../adapters/etcd/member.ts';
import { provideCertificates } from '../../playground/certificates.ts';
import { newState, pathsOf } from '../../playground/state.ts';
import { planMembers, startEtcdCluster, type TestCluster } from '../support/etcd-cluster.ts';

const signal = AbortSignal.timeout(120_000);

describe('a member that wants client certificates', () => {
  let directory: string;
  let cluster: TestCluster;
  let good: MemberEndpoint;
  let foreign: { ca: string; cert: string; key: string };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    const own = await certificatesIn(join(directory, 'own'));
    foreign = (await certificatesIn(join(directory, 'foreign'))).tls;
    const plan = (await planMembers(1, directory)).map((member) => ({
      ...member,
      clientUrl: member.clientUrl.replace('http:', 'https:'),
    }));
    cluster = await startEtcdCluster({
      members: 1,
      directory,
      plan,
      tls: own.tls,
      flags: [
        `--cert-file=${own.paths.certificate('etcd-m1')}`,
        `--key-file=${own.paths.key('etcd-m1')}`,
        `--trusted-ca-file=${own.tls.ca}`,
        '--client-cert-auth',
      ],
    });
    good = { node: 'm1', clientUrl: plan[0]?.clientUrl ?? '', tls: own.tls };
  });
  after(async () => {
    await cluster?.stop();
    await rm(directory, { recursive: true });
  });

  async function askEverything(endpoint: MemberEndpoint): Promise<PromiseSettledResult<unknown>[]> {
    const member = await openMember(endpoint);
    try {
      const snapshot = async () => {
        let bytes = 0;
        for await (const chunk of member.snapshot(signal)) bytes += chunk.length;
        return bytes;
      };
      return await Promise.allSettled([member.status(signal), member.hashKv(signal), snapshot()]);
    } finally {
      member.close();
    }
  }

  test('answers one that has a certificate of its authority: status, hash and snapshot', async () => {
    for (const result of await askEverything(good)) assert.equal(result.status, 'fulfilled', JSON.stringify(result));
  });

  function assertAllDenied(results: PromiseSettledResult<unknown>[]): void {
    for (const result of results) {
      assert.ok(result.status === 'rejected');
      assert.equal(result.reason.type, 'AccessDenied', String(result.reason));
      assert.match(result.reason.message, /etcd on node m1 \(https?:\/\/127\.0\.0\.1:\d+\)/);
    }
  }

  test('is not trusted when its certificate is of another authority than the one in the configuration', async () => {
    const { tls } = good;
    assert.ok(tls);
    assertAllDenied(await askEverything({ ...good, tls: { ...tls, ca: foreign.ca } }));
  });

  test('refuses a client certificate of another authority, and that is an access problem, not an unreachable member', async () => {
    const { tls } = good;
    assert.ok(tls);
    assertAllDenied(await askEverything({ ...good, tls: { ...foreign, ca: tls.ca } }));
  });

  function assertSchemeDoubted(results: PromiseSettledResult<unknown>[]): void {
    for (const result of results) {
      assert.ok(result.status === 'rejected');
      assert.equal(result.reason.type, 'MemberUnreachable');
      assert.match(result.reason.message, /that the URL begins correctly with http or https/);
    }
  }

  test('asked without TLS drops the connection, and the message doubts the URL', async () => {
    assertSchemeDoubted(await askEverything({ node: 'm1', clientUrl: good.clientUrl.replace('https:', 'http:') }));
  });

  test('a member without TLS that is asked with it drops the connection, and the message doubts the URL', async () => {
    const [plain] = await planMembers(1, directory, 'plain');
    assert.ok(plain);
    const other = await startEtcdCluster({ members: 1, directory, plan: [plain] });
    try {
      assertSchemeDoubted(await askEverything({ ...good, clientUrl: plain.clientUrl.replace('http:', 'https:') }));
    } finally {
      await other.stop();
    }
  });
});

async function certificatesIn(directory: string) {
  await mkdir(directory);
  const paths = pathsOf(directory);
  await provideCertificates(paths, await newState(directory, true));
  const tls = { ca: paths.certificate('ca'), cert: paths.certificate('etcd-client'), key: paths.key('etcd-client') };
  return { paths, tls };
}
