/** What is wrong with a cluster's members after one was replaced; nothing when the cluster is whole. Pure. */
import type { MemberEntry } from './member-entry.ts';

/**
 * What is wrong with the members after a replacement: every node must have a healthy one that holds what the others
 * hold.
 * @param removed the ID of the member that was taken out
 */
export function problemsOfMembers(entries: MemberEntry[], removed: string | null): string[] {
  return entries.flatMap((entry) => {
    const who = entry.node ?? entry.name;
    if (entry.id !== null && entry.id === removed) return [`${who} is still in the list`];
    if (entry.node === null) return [];
    if (entry.state !== 'healthy') return [`${who} is ${entry.state}: ${entry.seen}`];
    if (entry.hash === null) return [`${who} could not be compared with the others`];
    return entry.alarms.map((alarm) => `${who} has raised ${alarm}`);
  });
}
