import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { apiServerReady, apiServerVersion } from '../../adapters/kubernetes/api/api-server.ts';
import { provideCertificates } from '../../playground/certificates.ts';
import { newState, pathsOf } from '../../playground/state.ts';
import { freePorts } from '../support/etcd-cluster.ts';

const signal = AbortSignal.timeout(60_000);
let directory: string;
let ca: string;
let foreignCa: string;
let server: Server;
let url: string;
let answer: RequestListener;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const own = await certificatesIn(join(directory, 'own'));
  ca = own.certificate('ca');
  foreignCa = (await certificatesIn(join(directory, 'foreign'))).certificate('ca');
  const [cert, key] = await Promise.all([
    readFile(own.certificate('kube-apiserver')),
    readFile(own.key('kube-apiserver')),
  ]);
  server = createServer({ cert, key }, (request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  url = `https://127.0.0.1:${address.port}`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

function answering(status: number, body: string): void {
  answer = (request, response) => {
    assert.equal(request.headers.authorization, undefined);
    response.writeHead(request.url === '/readyz' || request.url === '/version' ? status : 404).end(body);
  };
}

test('a kube-apiserver that says ok is ready, with its certificate checked and without', async () => {
  answering(200, 'ok');
  assert.deepEqual(await apiServerReady(url, { ca, signal }), { ready: true, seen: 'ok' });
  assert.deepEqual(await apiServerReady(url, { signal }), { ready: true, seen: 'ok' });
});

test('one that is not ready is seen with the checks that failed', async () => {
  answering(500, '[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nreadyz check failed\n');
  assert.deepEqual(await apiServerReady(url, { ca, signal }), {
    ready: false,
    seen: 'HTTP 500: [-]etcd failed: reason withheld',
  });
});

test('one that refuses anonymous requests answers, and more than that is not claimed', async () => {
  answering(401, '{}');
  const { ready, seen } = await apiServerReady(url, { ca, signal });
  assert.equal(ready, true);
  assert.equal(seen, 'answers, and refuses anonymous requests (HTTP 401)');
});

test('one whose roles are not written yet is not ready', async () => {
  answering(403, 'forbidden');
  assert.deepEqual(await apiServerReady(url, { ca, signal }), { ready: false, seen: 'HTTP 403: forbidden' });
});

test('one with a certificate of another authority is not taken for the cluster', async () => {
  answering(200, 'ok');
  const { ready, seen } = await apiServerReady(url, { ca: foreignCa, signal });
  assert.equal(ready, false);
  assert.match(seen, /certificate/);
});

test('one that takes the request and never answers is given up on after 3 s', async () => {
  answer = () => {};
  assert.deepEqual(await apiServerReady(url, { signal }), { ready: false, seen: 'no answer within 3 s' });
});

test('one that is not there is seen as what the connection said', async () => {
  const [port] = await freePorts(1);
  const { ready, seen } = await apiServerReady(`https://127.0.0.1:${port}`, { signal });
  assert.equal(ready, false);
  assert.match(seen, /ECONNREFUSED/);
});

test('a missing certificate authority is named, and an abort ends the look', async () => {
  await assert.rejects(apiServerReady(url, { ca: join(directory, 'gone.crt'), signal }), {
    type: 'InvalidConfiguration',
    message: /gone\.crt/,
  });
  const aborted = AbortSignal.abort(new Error('the operation was cancelled'));
  await assert.rejects(apiServerReady(url, { signal: aborted }), /the operation was cancelled/);
});

test('the version is told, or nothing when the answer is none', async () => {
  answering(200, '{"major":"1","minor":"34","gitVersion":"v1.34.4"}');
  assert.equal(await apiServerVersion(url, { ca, signal }), 'v1.34.4');
  answering(200, 'not JSON');
  assert.equal(await apiServerVersion(url, { ca, signal }), undefined);
  answering(403, '{}');
  assert.equal(await apiServerVersion(url, { ca, signal }), undefined);
});

async function certificatesIn(directory: string) {
  await mkdir(directory);
  const paths = pathsOf(directory);
  await provideCertificates(paths, await newState(directory, true));
  return paths;
}
