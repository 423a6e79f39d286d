/** How Salvor acts on a node: commands and files, on the worker's own machine (`local.ts`) or over SSH. */
import type { Readable } from 'node:stream';

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  signal: AbortSignal;
  /** Default 60,000. A command that takes longer is ended, and `CommandFailed` is thrown. */
  timeoutMs?: number;
  /** Added to the host's own environment. Never for secrets. */
  env?: Record<string, string>;
}

export interface StreamOptions {
  signal: AbortSignal;
  /**
   * Default 60,000. A command that prints nothing for this long while its output is awaited is ended, and
   * `CommandFailed` is thrown.
   */
  silenceMs?: number;
}

export interface DirectoryEntry {
  name: string;
  type: 'file' | 'directory' | 'other';
}

/**
 * A machine. Paths are absolute. Every method throws SalvorError: `HostUnreachable` when the machine can't be reached,
 * `CommandFailed` when it could and the action failed, `NoSpace` when its disk is full. Messages name the host and the
 * path or command. An abort throws the signal's own reason.
 */
export interface Host {
  /** The node's name, for messages. */
  readonly name: string;
  /**
   * Runs a command without a shell and returns its result, whatever the exit code. The last 1 MiB of each output is
   * kept. A process that it leaves running must have output of its own. Throws `ToolMissing` when the command doesn't
   * exist.
   */
  run(argv: readonly [string, ...string[]], options: RunOptions): Promise<CommandResult>;
  /**
   * Runs a command without a shell and yields its standard output as it comes. It ends without an error only if the
   * command did, with exit code 0; otherwise it throws `CommandFailed`, with the command's last words. Leaving it early
   * ends the command. Throws `ToolMissing` when the command doesn't exist.
   */
  stream(argv: readonly [string, ...string[]], options: StreamOptions): AsyncIterable<Uint8Array>;
  /** The type of the object at a path, symbolic links followed; undefined when nothing is there. */
  typeOf(path: string, signal: AbortSignal): Promise<'file' | 'directory' | 'other' | undefined>;
  /** The entries of a directory, by name. */
  list(path: string, signal: AbortSignal): Promise<DirectoryEntry[]>;
  /** A small text file; undefined when it isn't there. */
  readText(path: string, signal: AbortSignal): Promise<string | undefined>;
  read(path: string, signal: AbortSignal): Promise<Readable>;
  /**
   * Writes a file whole or not at all: it is written under another name next to the target, synced, then renamed. An
   * existing file is replaced.
   */
  write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: { mode: number; signal: AbortSignal },
  ): Promise<{ bytes: number; sha256: string }>;
  /** Creates a directory and its missing parents; one that exists keeps its mode. */
  makeDirectory(path: string, options: { mode: number; signal: AbortSignal }): Promise<void>;
  /** Renames within one file system, and syncs the directory; throws `CommandFailed` when the target exists. */
  rename(from: string, to: string, signal: AbortSignal): Promise<void>;
  /**
   * Removes Salvor's own files, which have `.salvor-` in the last part of the path; throws `UnsafeState` for any other.
   * A missing file is fine.
   */
  removeOwn(path: string, signal: AbortSignal): Promise<void>;
  freeBytes(path: string, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
