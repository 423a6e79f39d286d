/** A real S3 server (versitygw over a directory) on a free port, for one test file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findTool } from '../../adapters/binaries/binaries.ts';
import { environment } from '../../adapters/environment.ts';

const START_TIMEOUT_MS = 30_000;

export interface S3Server {
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** The server's process, for tests that stop or kill it. */
  process: ChildProcess;
  /** Ends the server and removes its files. */
  stop: () => Promise<void>;
}

export interface S3ServerOptions {
  /** Buckets may have versions, and locks on them. */
  versioning?: boolean;
  /** Serve https with this certificate. */
  tls?: { cert: string; key: string };
}

/** Starts a server; returns undefined if versitygw is neither in the cache nor on PATH. */
export async function startS3Server({ versioning, tls }: S3ServerOptions = {}): Promise<S3Server | undefined> {
  const tool = await findTool('versitygw');
  if (tool === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'salvor-s3-'));
  for (const name of ['objects', 'versions']) await mkdir(join(folder, name));
  const credentials = { accessKeyId: 'salvor-test', secretAccessKey: randomBytes(20).toString('hex') };
  const port = await freePort();
  const child = spawn(
    tool.path,
    [
      '--quiet',
      '--port',
      `127.0.0.1:${port}`,
      ...(tls ? ['--cert', tls.cert, '--key', tls.key] : []),
      'posix',
      ...(versioning ? ['--versioning-dir', join(folder, 'versions')] : []),
      join(folder, 'objects'),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...environment(),
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    },
  );
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`versitygw did not start (exit ${child.exitCode}): ${said}`);
    }
    await delay(50);
  }
  return { endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, credentials, process: child, stop };
}

/** Finds a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
