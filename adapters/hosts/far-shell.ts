/**
 * What runs on the far side of an SSH connection around a command: it tells when the command began and ended, and ends
 * it with the connection.
 */
import { shellLine } from './quote.ts';

/** Where programs are that an unprivileged user, or sudo, may not find. */
const MORE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Standard input begins with a line: a word that nobody else knows, and that marks in both outputs where the command's
 * own begins and ends. What a login shell says before, and a daemon after, is thus told from it; an output without its
 * end is one that was cut off. It isn't an argument because `ps`, run as the command, would print it.
 *
 * `setsid` gives the command a process group, so that all that it started can be ended.
 */
const PREPARED = `
IFS= read -r mark || exit 255
PATH="$PATH:${MORE_PATH}"
exec 3<&0 </dev/null
printf '%s\\n' "$mark"
printf '%s\\n' "$mark" >&2
finish() {
  printf '%s\\n' "$mark" >&2
  printf '%s%s\\n' "$mark" "$1"
  exit 0
}
command -v setsid >/dev/null || finish "missing setsid"
command -v -- "$1" >/dev/null 2>&1 || finish missing
`;

/**
 * The end of standard input, when the connection breaks or the worker does, ends the command. Nothing is read from it.
 */
const WATCHED = `${PREPARED}
setsid -- "$@" 3<&- &
command=$!
(
  read -r nothing <&3
  trap '' TERM
  kill -s TERM -- "-$command" || kill -s TERM "$command"
  sleep 3
  kill -s KILL -- "-$command"
) >/dev/null 2>&1 &
watcher=$!
wait "$command"
code=$?
kill -s TERM "$watcher" 2>/dev/null
finish "$code"
`;

/** The rest of standard input is the command's; its end is the end of what the command reads. */
const FED = `${PREPARED}
setsid -- "$@" <&3 3<&- &
wait "$!"
finish "$?"
`;

export interface FarCommand {
  sudo: boolean;
  /** Whether the command reads standard input. */
  fed: boolean;
}

/** The line that the user's login shell on the far side gets. */
export function farLine(argv: readonly string[], { sudo, fed }: FarCommand): string {
  const shell = ['sh', '-c', fed ? FED : WATCHED, 'salvor', ...argv];
  return `exec ${shellLine(sudo ? ['sudo', '-n', '--', ...shell] : shell)}`;
}
