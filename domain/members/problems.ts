/** Checks a cluster's members after one was replaced. Pure. */
import type { MemberEntry } from './member-entry.ts';

/**
 * What is wrong with the members after a replacement; empty when every node has a healthy member with the same keys as
 * the others.
 * @param removed the ID of the member that was removed
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
