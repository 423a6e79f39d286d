/** The configuration, read afresh for every operation. */
import { loadCluster } from '../adapters/configuration/load.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { attended } from './attend.ts';

export function createConfigurationActivities(configFile: string) {
  return {
    /** The cluster as configured now; secrets are still references, so it may stand in the history. */
    readCluster: attended(async ({ cluster }: { cluster: string }): Promise<Cluster> => {
      return await loadCluster(configFile, cluster);
    }),
  };
}
