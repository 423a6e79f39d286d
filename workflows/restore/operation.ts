/** What all parts of a restore work with. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import type { Hold } from '../kit/hold-cluster.ts';
import type { Person } from '../kit/person.ts';
import type { Runbook } from '../kit/runbook.ts';

export interface RestoreOperation {
  cluster: Cluster;
  hold: Hold;
  runbook: Runbook;
  /** The person who approves the plan and decides about steps that can't succeed. */
  person: Person;
}

/** How far the restore is that will be carried out. */
export interface Undertaking {
  journal: Journal;
  /** Whether every node already has its new data directory: then nothing is stopped. */
  isSwapped: boolean;
}
