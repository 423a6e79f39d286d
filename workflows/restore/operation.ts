/** What every part of a restore works with. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import type { Hold } from '../kit/hold-cluster.ts';
import type { Person } from '../kit/person.ts';
import type { Runbook } from '../kit/runbook.ts';

export interface RestoreOperation {
  cluster: Cluster;
  hold: Hold;
  runbook: Runbook;
  /** Who approves the plan, and decides about a step that can't succeed. */
  person: Person;
}

/** How far a restore is that is carried out from here. */
export interface Undertaking {
  journal: Journal;
  /** Whether every node has its new data directory already: then nothing is stopped. */
  isSwapped: boolean;
}
