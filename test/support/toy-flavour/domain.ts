/** A toy flavour: etcd alone, which a shell starts; a file holds its process ID. */
import type { Traits } from '../../../domain/flavours/traits.ts';

export const toy: Traits = {
  isBackupOnly: false,
  needsCommands: false,
  staticPaths: ['/etc/hosts'],
  settlesBy: 'node files',
  etcd: { hasTls: false, clientCertificate: null, comparesBeforeServing: true },
  kubernetes: null,
};
