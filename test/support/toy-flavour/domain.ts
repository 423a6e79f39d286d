/** A toy: etcd alone, which a shell starts and whose process ID lies in a file. */
import type { Traits } from '../../../domain/flavours/traits.ts';

export const toy: Traits = {
  isBackupOnly: false,
  needsCommands: false,
  staticPaths: ['/etc/hosts'],
  settlesBy: 'node files',
  etcd: { hasTls: false, clientCertificate: null, comparesBeforeServing: true },
  kubernetes: null,
};
