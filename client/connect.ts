/** Connects to Temporal; address, namespace, TLS and keys come from Temporal's environment variables and profiles. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf } from '../domain/errors.ts';
import { SalvorOperationError, toOperationError } from './errors.ts';
import { SalvorClient } from './salvor.ts';

export interface ConnectOptions {
  /** `host:port`. Default: TEMPORAL_ADDRESS, then the profile's address, then `localhost:7233`. */
  address?: string;
  /** Default: TEMPORAL_NAMESPACE, then the profile's namespace, then `default`. */
  namespace?: string;
  /** A profile in `temporal.toml`. Default: TEMPORAL_PROFILE, then `default`. */
  profile?: string;
  /** The workers' task queue. Default `salvor`. */
  taskQueue?: string;
  /** How long to wait for Temporal, in milliseconds. Default 5,000. */
  connectTimeoutMs?: number;
}

/**
 * Connects to Temporal and to nothing else: only the workers reach nodes, stores and secrets.
 * @throws SalvorOperationError `TemporalUnreachable`, naming the address
 */
export async function connect(options: ConnectOptions = {}): Promise<SalvorClient> {
  const { connectionOptions, namespace: configured } = loadConnectConfig(options.profile);
  const address = options.address ?? connectionOptions.address ?? 'localhost:7233';
  const namespace = options.namespace ?? configured ?? 'default';
  const place = { address, namespace };
  try {
    const connectTimeout = options.connectTimeoutMs ?? 5_000;
    const connection = await Connection.connect({ ...connectionOptions, address, connectTimeout });
    const client = new Client({ connection, namespace });
    return new SalvorClient(client, place, options.taskQueue);
  } catch (error) {
    throw toOperationError(error, place);
  }
}

function loadConnectConfig(profile: string | undefined): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig(profile === undefined ? {} : { profile });
  } catch (error) {
    throw new SalvorOperationError('TemporalRefused', `Temporal's client configuration: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
