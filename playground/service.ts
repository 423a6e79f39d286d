/**
 * The service script of a part: `start`, `stop` and `status`, like a team's own scripts. It is POSIX shell because it
 * runs during a restore's downtime: it takes about 5 ms, and starting Node 100.
 */
import { chmod, rename, writeFile } from 'node:fs/promises';
import { MARK } from './processes.ts';
import { quoted } from '../adapters/hosts/quote.ts';

export interface ServiceOptions {
  name: string;
  /** The playground's directory. */
  directory: string;
  /** The command; its first word is an absolute path. */
  argv: readonly [string, ...string[]];
  env?: Record<string, string>;
  /** Variables whose values are the first lines of files: secrets, which must stay out of the script. */
  envFiles?: Record<string, string>;
  /** Where the process is recorded. */
  record: string;
  log: string;
  /** How long `stop` waits before it kills the process. */
  graceSeconds: number;
}

/** Writes the script, whole or not at all. */
export async function writeService(file: string, options: ServiceOptions): Promise<void> {
  const beside = `${file}.new`;
  await writeFile(beside, serviceScript(options));
  await chmod(beside, 0o700);
  await rename(beside, file);
}

/** The text of the script. */
export function serviceScript(options: ServiceOptions): string {
  const { name, directory, argv, env = {}, envFiles = {}, record, log, graceSeconds } = options;
  const variables = [
    ...Object.entries({ ...env, [MARK]: directory }).map(([key, value]) => `export ${key}=${quoted(value)}`),
    ...Object.entries(envFiles).map(([key, path]) => `read -r ${key} <${quoted(path)}; export ${key}`),
  ];
  return `#!/bin/sh
# ${name}: start | stop | status. Written by the playground; changes here are lost.
umask 077
record=${quoted(record)}
log=${quoted(log)}

# Sets pid and identity of process $1 ("self" for this one); fails when it is gone or a zombie.
look() {
  if [ -r /proc/self/stat ]; then
    { read -r line <"/proc/$1/stat" && read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || return 1
    pid=\${line%% *}
    # Field 3 of proc(5), the state, comes first here; field 22, the start time, is the 20th.
    set -- \${line##*) }
    [ "$1" != Z ] && [ "$1" != X ] || return 1
    identity="\${20}@$boot"
  else
    pid=$1
    [ "$1" != self ] || pid=$(sh -c 'echo $PPID')
    set -- $(ps -o stat=,lstart= -p "$pid")
    case "\${1:-Z}" in Z*) return 1 ;; esac
    shift
    identity="$*"
  fi
}

running() {
  { read -r recorded expected <"$record"; } 2>/dev/null || return 1
  look "$recorded" && [ "$identity" = "$expected" ]
}

# One start or stop at a time; the lock ends with this script.
alone() {
  exec 9>"$record.lock"
  ! command -v flock >/dev/null || flock 9
}

start() {
  alone
  ! running || return 0
  [ -x "$1" ] || { echo "${name}: $1 does not exist; run: salvor playground up" >&2; return 1; }
  detach=setsid
  command -v setsid >/dev/null || detach=nohup
  ${variables.join('\n  ')}
  # The process records itself before it becomes the component: it never runs without a record.
  # The substitution ends when the component has taken its own standard output.
  recorded=$({ look self && echo "$pid $identity" >"$record" && exec "$detach" "$@" </dev/null >>"$log" 2>&1 9>&-; } &)
  running || { echo "${name} ended at once; see $log" >&2; return 1; }
}

stop() {
  alone
  turn=0
  while running; do
    case $turn in
      0) kill -TERM "$pid" 2>/dev/null ;;
      ${graceSeconds * 50}) echo "${name} did not stop within ${graceSeconds} s and will be killed" >&2; kill -KILL "$pid" 2>/dev/null ;;
      ${(graceSeconds + 10) * 50}) echo "${name}, process $pid, did not end after SIGKILL" >&2; return 1 ;;
    esac
    turn=$((turn + 1))
    sleep 0.02
  done
}

case "\${1:-}" in
  start) start ${argv.map(quoted).join(' \\\n    ')} ;;
  stop) stop ;;
  status) running ;;
  *) echo "usage: $0 start|stop|status" >&2; exit 2 ;;
esac
`;
}
