/** The configuration; every operation reads it again. */
import { loadCluster } from '../adapters/configuration/load.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { attended } from './attend.ts';

export function createConfigurationActivities(configFile: string) {
  return {
    /** The cluster as configured now. Secrets are still references, so the history may contain it. */
    readCluster: attended(async ({ cluster }: { cluster: string }): Promise<Cluster> => {
      return await loadCluster(configFile, cluster);
    }),
  };
}
