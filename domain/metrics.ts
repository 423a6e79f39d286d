/** The metrics that a worker exports in addition to Temporal's own: their names and help texts. */

/** Read from the stores. A value that no longer exists is NaN. */
export const STORE_GAUGES = {
  salvor_stores_read_timestamp_seconds:
    'When the stores of a cluster were last looked at; every other gauge is as of then',
  salvor_schedule_interval_seconds:
    'The longest time between two runs of an operation, as the configuration schedules it',
  salvor_store_readable:
    '1 when the store could be read, else 0: then its other gauges are as they were when it was last read',
  salvor_store_bytes: 'The bytes of everything that lies in the store for the cluster',
  salvor_backups: 'The backups in the store, by their state',
  salvor_backup_newest_timestamp_seconds:
    'When the newest backup that is whole in the store was taken; 0 when there is none',
  salvor_backup_newest_proven_timestamp_seconds:
    'When the newest backup was taken whose copy in this store was restored by a drill; 0 when there is none',
  salvor_backup_bytes: 'The bytes of the newest backup that is whole in the store; 0 when there is none',
  salvor_copies_degraded: 'The backups of which the store lacks something that it was to have',
} as const;
export type StoreGauge = keyof typeof STORE_GAUGES;

/** Counted by the worker that saw the end of an operation. */
export const OPERATION_DURATION = 'salvor_operation_duration_seconds';
/** Prometheus shows it with the suffix `_total`. */
export const OPERATION_FAILURES = 'salvor_operation_failures';

/** From a listing that takes a second to a stream that takes hours. */
export const OPERATION_BUCKETS_SECONDS = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600];
