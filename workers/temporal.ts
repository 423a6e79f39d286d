/** Connects a worker to Temporal. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { SEARCH_ATTRIBUTES } from '../domain/operations/common.ts';

const RETRY_MS = 5_000;

export interface WorkerConnections {
  native: NativeConnection;
  client: Client;
  namespace: string;
  close(): Promise<void>;
}

/**
 * Connects as Temporal's environment variables and profiles say, and waits for a server that isn't up yet: after a
 * power cut there is nobody to start the worker again.
 * @throws SalvorError `InvalidConfiguration` when the namespace isn't set up for Salvor; the signal's reason on abort
 */
export async function connectWorker(signal: AbortSignal, say: (line: string) => void): Promise<WorkerConnections> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  for (;;) {
    try {
      const native = await NativeConnection.connect(connectionOptions);
      const connection = await Connection.connect(connectionOptions);
      await requireSearchAttributes(connection, namespace);
      return {
        native,
        namespace,
        client: new Client({ connection, namespace }),
        async close() {
          await connection.close();
          await native.close();
        },
      };
    } catch (error) {
      if (error instanceof SalvorError) throw error;
      say(`Temporal at ${address} can't be reached (${messageOf(error)}); trying again`);
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

/** Workflows set the search attributes: in a namespace without them every operation would hang at its first step. */
async function requireSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
  if (missing.length === 0) return;
  throw new SalvorError(
    'InvalidConfiguration',
    `Temporal's namespace "${namespace}" lacks the search attributes ${missing.join(', ')}; run \`salvor setup\` once`,
  );
}
