/** Decides whether a cluster is in a state that is worth backing up. Pure. */
import { SalvorError } from '../errors.ts';

/**
 * Certificates are rotated for the first time within a day of the installation. A backup taken before that holds
 * certificates that are no longer valid.
 */
const YOUNG_MS = 24 * 3_600_000;
/** A static pod is replaced within a minute or two after its manifest; the next node follows. */
const ROLLOUT_MS = 5 * 60_000;

export interface Settling {
  /** When the cluster was installed; null when that can't be found out. */
  installedAt: string | null;
  /** The static pod manifest that was changed last. */
  lastChange: { path: string; changedAt: string } | null;
  /** The OpenShift operators that run the control plane; absent for other flavours. */
  operators?: OperatorState[];
}

/** What an operator reports about its rollout. */
export interface OperatorState {
  operator: string;
  /** `True`, `False` or `Unknown`. */
  progressing: string;
  /** What it is doing, in its own words. */
  message: string;
}

/**
 * Refuses a backup while the cluster is young or being rolled out.
 * @param override the checks that are skipped
 * @throws SalvorError `ClusterNotReady`, naming the override that skips the check
 */
export function requireSettled(node: string, settling: Settling, now: Date, override: readonly BackupOverride[]): void {
  const { installedAt, lastChange, operators = [] } = settling;
  const ageMs = installedAt === null ? undefined : now.getTime() - Date.parse(installedAt);
  if (ageMs !== undefined && ageMs < YOUNG_MS && !override.includes('young-cluster')) {
    throw new SalvorError(
      'ClusterNotReady',
      `the cluster was installed at ${installedAt} (seen on ${node}), less than 24 h ago; back it up after the first rotation of its certificates, or override "young-cluster"`,
    );
  }
  const sinceMs = lastChange === null ? undefined : now.getTime() - Date.parse(lastChange.changedAt);
  if (lastChange !== null && sinceMs !== undefined && sinceMs < ROLLOUT_MS && !override.includes('rollout')) {
    throw new SalvorError(
      'ClusterNotReady',
      `${node}: ${lastChange.path} changed at ${lastChange.changedAt}, less than 5 minutes ago: a rollout is in progress; take the backup when it has ended, or override "rollout"`,
    );
  }
  const moving = operators.filter(({ progressing }) => progressing !== 'False');
  if (moving.length > 0 && !override.includes('rollout')) {
    const said = moving.map(
      ({ operator, progressing, message }) => `${operator} (Progressing is ${progressing}: ${message})`,
    );
    throw new SalvorError(
      'ClusterNotReady',
      `${node}: the control plane is being rolled out by its operators ${said.join(', ')}; expected Progressing to be False for each. Back up when it has ended, or override "rollout"`,
    );
  }
}

/** The checks before a backup that can be overridden by name. */
export const BACKUP_OVERRIDES = ['young-cluster', 'rollout'] as const;
export type BackupOverride = (typeof BACKUP_OVERRIDES)[number];
