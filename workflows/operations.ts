/** The workflow of each operation, by its name. */
export { backup } from './backup/backup.ts';
export { cleanUp } from './restore/clean-up.ts';
export { heal } from './stores/heal.ts';
export { listBackups } from './stores/list-backups.ts';
export { listMembers } from './members/list-members.ts';
export { pin } from './stores/pin.ts';
export { planRestore } from './restore/plan-restore.ts';
export { prune } from './stores/prune.ts';
export { replaceMember } from './members/replace-member.ts';
export { restore } from './restore/restore.ts';
export { verify } from './stores/verify.ts';
export { checkCluster } from './check-cluster.ts';
