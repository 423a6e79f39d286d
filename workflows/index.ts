/** The workflow types that a worker hosts; their names are the operations'. */
export { backup } from './backup.ts';
export { checkCluster } from './check-cluster.ts';
export { cleanUp } from './clean-up.ts';
export { heal } from './heal.ts';
export { holdCluster } from './hold-cluster.ts';
export { listBackups } from './list-backups.ts';
export { listMembers } from './list-members.ts';
export { pin } from './pin.ts';
export { planRestore } from './plan-restore.ts';
export { prune } from './prune.ts';
export { replaceMember } from './replace-member.ts';
export { restore } from './restore.ts';
export { verify } from './verify.ts';
