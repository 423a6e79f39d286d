/** Who starts an operation, for the audit. */
import { hostname, userInfo } from 'node:os';

/** For example `core@bastion`. */
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
