/** A prune that would remove more than it keeps asks a person first. Pure. */

/** So few are never too many: a small store loses that much in a normal week. */
const FEW = 3;

/**
 * Why a prune waits for a person; undefined when it may go on.
 * @param removed how many good backups it would remove from the store
 * @param kept how many good ones it would keep
 */
export function whyTooMany(store: string, removed: number, kept: number): string | undefined {
  if (removed <= FEW || removed <= kept) return undefined;
  return `pruning store "${store}" would remove ${removed} good backups at once and keep ${kept}: nothing is removed there. Look at it (\`salvor prune --dry-run\`); if it is meant, allow it once: \`salvor prune --remove-many\``;
}
