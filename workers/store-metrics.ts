/** A worker reads the stores regularly for its metrics: only the stores know which backups exist. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MetricMeter } from '@temporalio/common';
import { loadConfiguration } from '../adapters/configuration/load.ts';
import { readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { type StoreFigures, storeFigures } from '../domain/backups/figures.ts';
import { openStore } from '../adapters/stores/types.ts';
import type { Store } from '../adapters/stores/store.ts';
import { type Cluster, resolveCluster } from '../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { SCHEDULED_OPERATIONS } from '../domain/operations/index.ts';
import { longestGapMs } from '../domain/schedule/longest-gap.ts';
import { scheduleTimes } from '../domain/schedule/times.ts';
import { createGauges, type Figure, type Gauges } from './gauges.ts';

/** After this long the worker moves on to the next cluster. The figures of this one grow old, which has an alert. */
const LOOK_TIMEOUT_MS = 600_000;

export interface StoreMetricsOptions {
  configFile: string;
  everyMs: number;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Shows the stores' figures until the signal. A look that fails is reported, and the next look tries again. */
export async function watchStores(meter: MetricMeter, options: StoreMetricsOptions): Promise<void> {
  const { configFile, everyMs, signal, say } = options;
  const gauges = createGauges(meter);
  const looking = new Set<string>();

  async function look(cluster: Cluster): Promise<void> {
    looking.add(cluster.name);
    try {
      await lookAtCluster(cluster, gauges, signal);
    } catch (error) {
      if (!signal.aborted) say(`metrics of ${cluster.name}: ${messageOf(error)}`);
    } finally {
      looking.delete(cluster.name);
    }
  }

  async function lookAtAll(): Promise<void> {
    const configuration = await loadConfiguration(configFile);
    const names = Object.keys(configuration.clusters);
    gauges.show([], ({ cluster }) => !names.includes(cluster));
    for (const name of names.filter((each) => !looking.has(each))) {
      await within(LOOK_TIMEOUT_MS, look(resolveCluster(configuration, name)), signal);
    }
  }

  while (!signal.aborted) {
    await lookAtAll().catch((error: unknown) => signal.aborted || say(`metrics of the stores: ${messageOf(error)}`));
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Waits for the work, but not forever. */
async function within(timeoutMs: number, work: Promise<void>, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const ended = delay(timeoutMs, undefined, { signal: AbortSignal.any([signal, done.signal]) }).catch(() => undefined);
  await Promise.race([work, ended]);
  done.abort();
}

async function lookAtCluster(cluster: Cluster, gauges: Gauges, signal: AbortSignal): Promise<void> {
  const stores: Store[] = [];
  try {
    for (const named of cluster.stores) {
      const store = await openStore(named).catch(ignoreFailure);
      if (store) stores.push(store);
    }
    const figures = await readFigures(cluster, stores, signal);
    const readable = figures.map(({ store }) => store);
    const unreadable = cluster.stores.map(({ name }) => name).filter((name) => !readable.includes(name));
    gauges.show(
      [
        ...intervals(cluster),
        ...figures.flatMap((each) => ofStore(cluster.name, each)),
        ...unreadable.map((store) => readability(cluster.name, store, 0)),
        // Last: a scrape that sees the new time must also see the new figures.
        { gauge: 'salvor_stores_read_timestamp_seconds', labels: { cluster: cluster.name }, value: Date.now() / 1000 },
      ],
      // The last figures of an unreadable store stay: nothing newer is known about it.
      (labels) => labels.cluster === cluster.name && !unreadable.includes(labels.store ?? ''),
    );
  } finally {
    for (const store of stores) store.close();
  }
}

/** The figures of the stores that could be read. */
async function readFigures(cluster: Cluster, stores: Store[], signal: AbortSignal): Promise<StoreFigures[]> {
  const catalogue = await readCatalogue(cluster, stores, signal).catch(ignoreFailure);
  if (!catalogue) return [];
  const unreadable = catalogue.unreadable.map(({ store }) => store);
  return storeFigures(
    catalogue,
    stores.map(({ name }) => name).filter((name) => !unreadable.includes(name)),
  );
}

function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof SalvorError)) throw error;
}

function ofStore(cluster: string, figures: StoreFigures): Figure[] {
  const { store, backups, bytes, degradedCopies, newest, newestProven } = figures;
  const labels = { cluster, store };
  return [
    readability(cluster, store, 1),
    { gauge: 'salvor_store_bytes', labels, value: bytes },
    { gauge: 'salvor_copies_degraded', labels, value: degradedCopies },
    { gauge: 'salvor_backup_newest_timestamp_seconds', labels, value: seconds(newest?.takenAt) },
    { gauge: 'salvor_backup_newest_proven_timestamp_seconds', labels, value: seconds(newestProven?.takenAt) },
    { gauge: 'salvor_backup_bytes', labels, value: newest?.bytes ?? 0 },
    ...Object.entries(backups).map(([state, value]): Figure => ({
      gauge: 'salvor_backups',
      labels: { ...labels, state },
      value,
    })),
  ];
}

function readability(cluster: string, store: string, value: 0 | 1): Figure {
  return { gauge: 'salvor_store_readable', labels: { cluster, store }, value };
}

function intervals({ name, schedules }: Cluster): Figure[] {
  return SCHEDULED_OPERATIONS.flatMap((operation): Figure[] => {
    const rule = schedules[operation];
    if (rule === undefined) return [];
    const value = longestGapMs(scheduleTimes(rule)) / 1000;
    return [{ gauge: 'salvor_schedule_interval_seconds', labels: { cluster: name, operation }, value }];
  });
}

function seconds(date: Date | undefined): number {
  return date === undefined ? 0 : date.getTime() / 1000;
}
