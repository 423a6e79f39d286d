/** A bare etcd cluster, run by systemd, containers or a team's own commands, whatever its clients keep in it. */
import type { Traits } from './traits.ts';

export const etcd: Traits = {
  isBackupOnly: false,
  needsCommands: true,
  staticPaths: [],
  settlesBy: null,
  etcd: { hasTls: false, clientCertificate: null, comparesBeforeServing: false },
  kubernetes: null,
};
