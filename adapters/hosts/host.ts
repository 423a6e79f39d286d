/** How Salvor acts on a node: commands and files, on the spot (`local.ts`) or over SSH. */
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
   * Default 60,000. A command that gives nothing for so long while it is waited for is ended, and `CommandFailed` is
   * thrown.
   */
  silenceMs?: number;
}

export interface DirectoryEntry {
  name: string;
  type: 'file' | 'directory' | 'other';
}

/**
 * A machine. Paths are absolute. Every method throws SalvorError: `HostUnreachable` when the machine can't be reached,
 * `CommandFailed` when it could and the act failed, `NoSpace` when its disk is full. Messages name the host and the
 * path or command. An abort throws the signal's own reason.
 */
export interface Host {
  /** The node's name, for messages. */
  readonly name: string;
  /**
   * Runs a command without a shell and gives its result, whatever the exit code. Of each output the last 1 MiB is kept.
   * What it leaves running must have output of its own. Throws `ToolMissing` when there is no such command.
   */
  run(argv: readonly [string, ...string[]], options: RunOptions): Promise<CommandResult>;
  /**
   * Runs a command without a shell and gives its standard output as it comes. It ends without an error only when the
   * command did, with exit code 0: else `CommandFailed`, with its last words. Leaving it early ends the command. Throws
   * `ToolMissing` when there is no such command.
   */
  stream(argv: readonly [string, ...string[]], options: StreamOptions): AsyncIterable<Uint8Array>;
  /** What is at a path, symbolic links followed; undefined when nothing is. */
  typeOf(path: string, signal: AbortSignal): Promise<'file' | 'directory' | 'other' | undefined>;
  /** The entries of a directory, by name. */
  list(path: string, signal: AbortSignal): Promise<DirectoryEntry[]>;
  /** A small text file; undefined when it isn't there. */
  readText(path: string, signal: AbortSignal): Promise<string | undefined>;
  read(path: string, signal: AbortSignal): Promise<Readable>;
  /** Writes a file whole or not at all: beside it first, synced, then renamed. An existing file is replaced. */
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
   * Removes what is Salvor's own, known by `.salvor-` in the last part of the path; `UnsafeState` for any other.
   * Nothing there is fine.
   */
  removeOwn(path: string, signal: AbortSignal): Promise<void>;
  freeBytes(path: string, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
