/**
 * A Temporal dev server in its own process. It keeps its history in a file, so it can be killed and started again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../domain/operations/common.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { until } from './until.ts';

export interface TemporalProcess {
  address: string;
  client: Client;
  /** Sends SIGKILL and starts the same server again. */
  killAndRestart: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startTemporalProcess(directory: string): Promise<TemporalProcess> {
  const { path } = await provideTool('temporal');
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const start = () =>
    spawn(
      path,
      [
        'server',
        'start-dev',
        '--headless',
        '--ip=127.0.0.1',
        `--port=${port}`,
        `--db-filename=${join(directory, 'temporal.db')}`,
        '--log-level=error',
        ...Object.values(SEARCH_ATTRIBUTES).map((name) => `--search-attribute=${name}=Keyword`),
      ],
      { stdio: 'ignore' },
    );
  let server = start();
  const answers = async () => {
    const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
    await connection?.close();
    return connection !== undefined;
  };
  await until('Temporal answers', answers);
  const connection = await Connection.connect({ address });

  async function end(signal: NodeJS.Signals): Promise<void> {
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }

  return {
    address,
    client: new Client({ connection }),
    async killAndRestart() {
      await end('SIGKILL');
      server = start();
      await until('Temporal answers again', answers);
    },
    async stop() {
      await connection.close();
      await end('SIGTERM');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  await promisify(server.close.bind(server))();
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}
