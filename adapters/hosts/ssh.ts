/**
 * A host that is reached over SSH. It needs a POSIX shell and the usual GNU programs: coreutils, findutils, util-linux.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { ClusterNode, SshSettings } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { farFailure, isAbsent } from './failures.ts';
import { type FarEnd, runFar } from './far-process.ts';
import type { CommandResult, DirectoryEntry, Host } from './host.ts';
import { lastLines, Tail } from './tail.ts';
import { refuseUnlessOwn, OWN_MARK } from './own-name.ts';
import { sshRoute } from './ssh-client.ts';

const ACT_MS = 60_000;
/** The time limit for reading back and syncing a large file. */
const BIG_ACT_MS = 30 * 60_000;

/** Small actions are scripts whose parameters come as arguments: no shell interprets them. */
const SCRIPTS = {
  receive: 'umask 077 && cat >"$1" && chmod -- "$2" "$1" && sync -- "$1"',
  place:
    'seen=$(sha256sum <"$1") && if [ "${seen%% *}" = "$3" ]; then mv -fT -- "$1" "$2" && sync -- "$4"; else echo "$seen"; exit 65; fi',
  makeDirectory: 'umask "$1" && mkdir -p -- "$2"',
  // mv would copy a file that can't be renamed, and rename(2) replaces empty directories.
  rename: `
if [ -e "$2" ] || [ -L "$2" ]; then exit 66; fi
from=$(stat -c %d -- "$1") && to=$(stat -c %d -- "$4") || exit
if [ "$from" != "$to" ]; then exit 67; fi
mv -T -- "$1" "$2" && sync -- "$4" "$3"`,
};
const OTHER_BYTES = 65;
const TARGET_EXISTS = 66;
const OTHER_FILE_SYSTEM = 67;

/**
 * Acts on a node through the system's OpenSSH client.
 * @throws SalvorError each method also throws `AccessDenied` when ssh or sudo refuse
 */
export function sshHost(node: ClusterNode, settings: SshSettings): Host {
  const { name } = node;

  async function* far(
    argv: readonly [string, ...string[]],
    options: Parameters<typeof runFar>[2],
  ): AsyncGenerator<Uint8Array, FarEnd> {
    return yield* runFar(await sshRoute(node, settings), argv, options);
  }

  /** The output of a program of coreutils, in English. */
  async function ask(
    argv: readonly [string, ...string[]],
    signal: AbortSignal,
    options: { timeoutMs?: number; input?: AsyncIterable<Uint8Array> } = {},
  ): Promise<{ exitCode: number; stdout: Buffer; stderr: string }> {
    const chunks: Uint8Array[] = [];
    const timed = options.input === undefined ? { timeoutMs: ACT_MS } : {};
    const running = far(['env', 'LC_ALL=C', ...argv], { signal, ...timed, ...options });
    const { exitCode, stderr } = await endOf(running, (chunk) => chunks.push(chunk));
    return { exitCode, stdout: Buffer.concat(chunks), stderr };
  }

  async function script(
    what: keyof typeof SCRIPTS,
    args: string[],
    signal: AbortSignal,
    options: Parameters<typeof ask>[2] = {},
  ) {
    return await ask(['sh', '-c', SCRIPTS[what], 'salvor', ...args], signal, options);
  }

  async function removeQuietly(path: string): Promise<void> {
    // The file keeps its scratch name if the node can't be reached.
    await ask(['rm', '-f', '--', path], AbortSignal.timeout(ACT_MS)).catch(() => undefined);
  }

  return {
    name,
    async run(argv, { signal, timeoutMs = ACT_MS, env = {} }): Promise<CommandResult> {
      const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const stdout = new Tail();
      const running = far(variables.length === 0 ? argv : ['env', ...variables, ...argv], { signal, timeoutMs });
      const { exitCode, stderr } = await endOf(running, (chunk) => stdout.add(Buffer.from(chunk)));
      return { exitCode, stdout: stdout.text(), stderr };
    },
    async *stream(argv, { signal, silenceMs = ACT_MS }) {
      const { exitCode, stderr } = yield* far(argv, { signal, silenceMs });
      if (exitCode === 0) return;
      const words = lastLines(stderr);
      throw new SalvorError(
        'CommandFailed',
        `${name}: \`${argv.join(' ')}\` ended with exit code ${exitCode}${words && `; its last words: ${words}`}`,
      );
    },
    async typeOf(path, signal) {
      const { exitCode, stdout, stderr } = await ask(['stat', '-L', '-c', '%F', '--', path], signal);
      if (exitCode === 0) return typeNamed(stdout.toString('utf8').trim());
      if (isAbsent(stderr)) return undefined;
      throw farFailure(stderr, name, 'look at', path);
    },
    async list(path, signal) {
      const argv = ['find', `${path}/.`, '-mindepth', '1', '-maxdepth', '1', '-printf', '%y%f\\0'] as const;
      const { exitCode, stdout, stderr } = await ask(argv, signal);
      if (exitCode !== 0) throw farFailure(stderr, name, 'list', path);
      const entries = stdout.toString('utf8').split('\0').slice(0, -1);
      return entries.map((entry) => entryOf(entry)).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async readText(path, signal) {
      const { exitCode, stdout, stderr } = await ask(['cat', '--', path], signal);
      if (exitCode === 0) return stdout.toString('utf8');
      if (isAbsent(stderr)) return undefined;
      throw farFailure(stderr, name, 'read', path);
    },
    async read(path, signal) {
      const bytes = wholeFile(far(['env', 'LC_ALL=C', 'cat', '--', path], { signal }), name, path);
      // A file that can't be read is reported now, as the local host does.
      const first = await bytes.next();
      async function* rest() {
        if (first.done === true) return;
        yield first.value;
        yield* bytes;
      }
      return Readable.from(rest(), { objectMode: false, signal });
    },
    async write(path, body, { mode, signal }) {
      const part = `${path}${OWN_MARK}part-${randomBytes(4).toString('hex')}`;
      const hash = createHash('sha256');
      let bytes = 0;
      async function* measured(): AsyncGenerator<Uint8Array> {
        for await (const chunk of body) {
          signal.throwIfAborted();
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      }
      try {
        const received = await script('receive', [part, mode.toString(8)], signal, { input: measured() });
        if (received.exitCode !== 0) throw farFailure(received.stderr, name, 'write', path);
        const sha256 = hash.digest('hex');
        const args = [part, path, sha256, dirname(path)];
        const placed = await script('place', args, signal, { timeoutMs: BIG_ACT_MS });
        if (placed.exitCode === OTHER_BYTES) {
          throw new SalvorError(
            'CommandFailed',
            `${name}: ${path} arrived with SHA-256 ${placed.stdout.toString('utf8').slice(0, 64)}, expected ${sha256}; it was not put in place`,
          );
        }
        if (placed.exitCode !== 0) throw farFailure(placed.stderr, name, 'write', path);
        return { bytes, sha256 };
      } catch (error) {
        await removeQuietly(part);
        throw error;
      }
    },
    async makeDirectory(path, { mode, signal }) {
      const umask = (~mode & 0o777).toString(8).padStart(3, '0');
      const { exitCode, stderr } = await script('makeDirectory', [umask, path], signal);
      if (exitCode !== 0) throw farFailure(stderr, name, 'create the directory', path);
    },
    async rename(from, to, signal) {
      const { exitCode, stderr } = await script('rename', [from, to, dirname(from), dirname(to)], signal);
      if (exitCode === 0) return;
      if (exitCode === TARGET_EXISTS) {
        throw new SalvorError(
          'CommandFailed',
          `${name}: ${from} can't be renamed to ${to}: the target exists; nothing was changed`,
        );
      }
      if (exitCode === OTHER_FILE_SYSTEM) {
        throw new SalvorError(
          'CommandFailed',
          `${name}: ${from} can't be renamed to ${to}: the two are on different file systems; nothing was changed`,
        );
      }
      throw farFailure(stderr, name, `rename ${from} to`, to);
    },
    async removeOwn(path, signal) {
      signal.throwIfAborted();
      refuseUnlessOwn(path, name);
      const { exitCode, stderr } = await ask(['rm', '-rf', '--', path], signal, { timeoutMs: BIG_ACT_MS });
      if (exitCode !== 0) throw farFailure(stderr, name, 'remove', path);
    },
    async freeBytes(path, signal) {
      const { exitCode, stdout, stderr } = await ask(['stat', '-f', '-c', '%a %S', '--', path], signal);
      const [blocks, blockBytes] = stdout.toString('utf8').trim().split(' ').map(Number);
      if (exitCode !== 0 || blocks === undefined || blockBytes === undefined) {
        throw farFailure(stderr, name, 'look for free space at', path);
      }
      return blocks * blockBytes;
    },
    // The connection stays open for a minute, for the next command.
    close: async () => {},
  };
}

/** Reads a command's output to its end. */
async function endOf(running: AsyncGenerator<Uint8Array, FarEnd>, take: (chunk: Uint8Array) => void): Promise<FarEnd> {
  for (;;) {
    const next = await running.next();
    if (next.done === true) return next.value;
    take(next.value);
  }
}

async function* wholeFile(
  running: AsyncGenerator<Uint8Array, FarEnd>,
  host: string,
  path: string,
): AsyncGenerator<Uint8Array, void> {
  const { exitCode, stderr } = yield* running;
  if (exitCode !== 0) throw farFailure(stderr, host, 'read', path);
}

/** As `stat` prints it; an empty file is a "regular empty file". */
function typeNamed(words: string): DirectoryEntry['type'] {
  if (words.startsWith('regular')) return 'file';
  return words === 'directory' ? 'directory' : 'other';
}

/** As `find` prints it: a letter, then the name. */
function entryOf(entry: string): DirectoryEntry {
  const letter = entry[0];
  return { name: entry.slice(1), type: letter === 'f' ? 'file' : letter === 'd' ? 'directory' : 'other' };
}
