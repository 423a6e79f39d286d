/** The entry point of `salvor`. */
import { CommanderError } from 'commander';
import { printError, UsageError } from './output.ts';
import { createProgram } from './program.ts';

/** Finds the output format even if the command line can't be parsed. */
function wantedFormat(args: string[]): 'text' | 'json' {
  const json = args.some(
    (arg, index) =>
      /^(--output=|-o=?)json$/.test(arg) || (arg === 'json' && /^(--output|-o)$/.test(args[index - 1] ?? '')),
  );
  return json ? 'json' : 'text';
}

async function main(args: string[]): Promise<void> {
  const format = wantedFormat(args);
  const program = createProgram();
  if (format === 'json') {
    // With JSON output, commander's own message goes into the one JSON document.
    const silence = { writeErr: () => {} };
    for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)]) {
      command.configureOutput(silence);
    }
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      process.exitCode = printError(format, error);
    } else if (error.exitCode !== 0) {
      process.exitCode = 2;
      if (format === 'json') printError(format, new UsageError(error.message.replace(/^error: /, '')));
    }
  }
}

// `salvor backups … | head` closes the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

await main(process.argv.slice(2));
