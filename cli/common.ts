/** What all commands share: options, actions, signals and the connection to Temporal. */
import { type Command, Option } from 'commander';
import type { SalvorClient } from '../client/salvor.ts';
import { DETACHED } from './output.ts';

export interface CommonOptions {
  output: 'text' | 'json';
  config?: string;
  detach?: boolean;
  address?: string;
  namespace?: string;
  taskQueue?: string;
}

export function addCommonOptions(program: Command): Command {
  return program
    .addOption(new Option('-o, --output <format>', 'the output format').choices(['text', 'json']).default('text'))
    .option('--detach', 'start the operation and return without waiting for it')
    .option(
      '-c, --config <path>',
      'salvor.yaml or a directory of such files (default: $SALVOR_CONFIG, ./salvor.yaml, /etc/salvor/salvor.yaml)',
    )
    .option('--address <host:port>', "Temporal's address (default: $TEMPORAL_ADDRESS, the profile's, localhost:7233)")
    .option('--namespace <name>', "Temporal's namespace (default: $TEMPORAL_NAMESPACE, the profile's, default)")
    .option('--task-queue <name>', 'the task queue of the workers (default: salvor)');
}

/** The help text of `--skip-hash-check`. */
export const SKIP_HASH_CHECK =
  'accept a snapshot that was copied from a data directory: it has no manifest and no hash';

/** The action of a command: it gets the common options and its own together, and gives the exit status. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the declarer types them
export function action<O extends object>(
  act: (options: CommonOptions & O, ...args: string[]) => Promise<number>,
): (...args: unknown[]) => Promise<void> {
  return async (...given) => {
    // commander passes the arguments, then the options, then the command itself.
    const command = given.at(-1) as Command;
    process.exitCode = await act(command.optsWithGlobals<CommonOptions & O>(), ...command.processedArgs);
  };
}

/** Passes Ctrl-C and SIGTERM to `use` so that it can end cleanly; a second signal ends the process at once. */
export async function untilInterrupted<T>(use: (interrupt: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(DETACHED);
    interrupt.abort();
  };
  // Not `once`: if no listener is left, the library that draws the progress ends the process itself.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await use(interrupt.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Connects to Temporal while `use` runs. Temporal's client is loaded only here, because loading it is slow. */
export async function withClient<T>(options: CommonOptions, use: (client: SalvorClient) => Promise<T>): Promise<T> {
  const { connect } = await import('../client/connect.ts');
  const { address, namespace, taskQueue } = options;
  const client = await connect({
    ...(address !== undefined && { address }),
    ...(namespace !== undefined && { namespace }),
    ...(taskQueue !== undefined && { taskQueue }),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
