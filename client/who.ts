/** Who asks, for the audit. */
import { hostname, userInfo } from 'node:os';

/** As in `core@bastion`. */
export function whoAsks(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have a number and no name.
    return `uid${process.getuid?.() ?? ''}`;
  }
}
