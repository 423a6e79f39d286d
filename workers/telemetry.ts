/** Serves a worker's metrics. */
import { isIP } from 'node:net';
import type { MetricMeter } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';
import { parseDurationMs } from '../domain/values.ts';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { OPERATION_BUCKETS_SECONDS, OPERATION_DURATION } from '../domain/metrics.ts';
import { environmentVariable } from '../adapters/environment.ts';

const EVERY = '5m';

export interface MetricsOptions {
  /** For example `127.0.0.1:9464`. Anyone who can reach it can read the names of clusters and stores. */
  address: string;
  /** How often the stores are read. */
  everyMs: number;
}

/**
 * The options that were given, or else those in `SALVOR_METRICS` and `SALVOR_METRICS_EVERY`; undefined without an
 * address.
 * @throws SalvorError `InvalidInput`
 */
export function metricsOptions(given: { address?: string; every?: string } = {}): MetricsOptions | undefined {
  const address = given.address ?? environmentVariable('SALVOR_METRICS');
  if (address === undefined) return undefined;
  const every = given.every ?? environmentVariable('SALVOR_METRICS_EVERY') ?? EVERY;
  const everyMs = parseDurationMs(every);
  if (everyMs === undefined || everyMs === 0) {
    throw new SalvorError('InvalidInput', `metrics every "${every}": expected a duration such as 90s, 5m or 1h`);
  }
  if (!isSocketAddress(address)) {
    throw new SalvorError(
      'InvalidInput',
      `metrics at "${address}": expected an IP address and a port, as in 127.0.0.1:9464`,
    );
  }
  return { address, everyMs };
}

/**
 * Serves the metrics of Temporal and Salvor to Prometheus until the process ends. Call it once, before any other part
 * of Temporal is used.
 * @returns the meter for Salvor's own metrics
 * @throws SalvorError `InvalidInput` when it can't listen on the address
 */
export function serveMetrics(address: string): MetricMeter {
  try {
    const runtime = Runtime.install({
      telemetryOptions: {
        metrics: {
          attachServiceName: false,
          prometheus: {
            bindAddress: address,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
            histogramBucketOverrides: { [OPERATION_DURATION]: OPERATION_BUCKETS_SECONDS },
          },
        },
      },
    });
    return runtime.metricMeter;
  } catch (error) {
    throw new SalvorError('InvalidInput', `metrics can't be served at ${address}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function isSocketAddress(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (!match) return false;
  const [, six, four, port] = match;
  return Number(port) > 0 && Number(port) < 65_536 && isIP(six ?? four ?? '') === (six === undefined ? 4 : 6);
}
