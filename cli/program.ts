/** The commands. A function adds each one; a command loads what it needs only when it is called. */
import { Command } from 'commander';
import { SALVOR_VERSION } from '../domain/version.ts';
import { addApprove } from './commands/approve.ts';
import { addBackup, addBackups } from './commands/backup.ts';
import { addCleanUp } from './commands/cleanup.ts';
import { addConfig } from './commands/config.ts';
import { addAbort, addRetry, addRollback } from './commands/decide.ts';
import { addDoctor } from './commands/doctor.ts';
import { addHeal } from './commands/heal.ts';
import { addMember } from './commands/member.ts';
import { addOperations, addShow } from './commands/operations.ts';
import { addPlayground } from './commands/playground.ts';
import { addPin, addPrune, addUnpin } from './commands/prune.ts';
import { addRestore } from './commands/restore.ts';
import { addSchedules } from './commands/schedules.ts';
import { addSetup } from './commands/setup.ts';
import { addVerify } from './commands/verify.ts';
import { addWorker } from './commands/worker.ts';
import { addCommonOptions } from './common.ts';

/** In the order of `--help`. */
const GROUPS: [heading: string, commands: ((program: Command) => void)[]][] = [
  ['Backups', [addBackup, addBackups, addPin, addUnpin, addPrune, addVerify, addHeal, addRestore]],
  ['Members', [addMember]],
  ['Operations', [addOperations, addShow, addApprove, addRetry, addRollback, addAbort, addCleanUp, addSchedules]],
  ['Installation', [addDoctor, addSetup, addWorker, addConfig, addPlayground]],
];

/** Creates the whole command line; it throws instead of ending the process. */
export function createProgram(): Command {
  const program = addCommonOptions(new Command('salvor'))
    .description('Durable backup, proof and restore of Kubernetes control planes.')
    .version(SALVOR_VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows the usage)');
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(`${heading}:`);
    for (const add of commands) add(program);
  }
  return program.addHelpText(
    'after',
    `
Exit status: 0 done; 1 failed; 2 bad usage, configuration or input, nothing started; 3 degraded, or waiting for
a person; 130 detached by Ctrl-C: the operation continues, and \`salvor show\` comes back to it.`,
  );
}
