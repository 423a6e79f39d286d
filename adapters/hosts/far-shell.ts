/**
 * The shell code around a command on the far side of an SSH connection: it reports when the command began and ended,
 * and ends it with the connection.
 */
import { shellLine } from './quote.ts';

/** Folders of programs that may be missing from the PATH of an unprivileged user, or of sudo. */
const MORE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The first line of standard input is a word that nobody else knows; it marks in both outputs where the command's own
 * output begins and ends. This separates it from what a login shell prints before and a daemon after, and an output
 * without its end mark was cut off. The word isn't an argument because `ps`, run as the command, would print it.
 *
 * `setsid` gives the command a process group, so all that it started can be ended.
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

/** Standard input ends when the connection or the worker does, and this ends the command. Nothing is read from it. */
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

/** The rest of standard input is the command's input; where it ends, the command's input ends. */
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

/** The line for the user's login shell on the far side. */
export function farLine(argv: readonly string[], { sudo, fed }: FarCommand): string {
  const shell = ['sh', '-c', fed ? FED : WATCHED, 'salvor', ...argv];
  return `exec ${shellLine(sudo ? ['sudo', '-n', '--', ...shell] : shell)}`;
}
