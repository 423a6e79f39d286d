/** The workflow types that a worker hosts; their names are the operations'. */
export { backup } from './backup/backup.ts';
export { checkCluster } from './check-cluster.ts';
export { cleanUp } from './restore/clean-up.ts';
export { heal } from './stores/heal.ts';
export { holdCluster } from './kit/hold-cluster.ts';
export { listBackups } from './stores/list-backups.ts';
export { listMembers } from './members/list-members.ts';
export { pin } from './stores/pin.ts';
export { planRestore } from './restore/plan-restore.ts';
export { prune } from './stores/prune.ts';
export { replaceMember } from './members/replace-member.ts';
export { restore } from './restore/restore.ts';
export { verify } from './stores/verify.ts';
