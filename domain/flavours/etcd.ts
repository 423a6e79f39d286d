/** etcd alone, run by systemd, containers or a team's own commands, for whatever keeps its keys there. */
import type { Traits } from './traits.ts';

export const etcd: Traits = {
  isBackupOnly: false,
  needsCommands: true,
  staticPaths: [],
  settlesBy: null,
  etcd: { hasTls: false, clientCertificate: null, comparesBeforeServing: false },
  kubernetes: null,
};
