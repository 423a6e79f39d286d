/** What a node shows of an etcd that doesn't answer: whether it runs, keeps ending, or is not there. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { ProcessSeen } from '../../domain/members/member-table.ts';
import type { Host } from '../hosts/host.ts';
import type { FlavourNode } from './flavour.ts';

const WORDS = 300;

/** A node that can't be looked at is a valid answer too. */
export async function observeEtcd(
  flavour: FlavourNode,
  { name }: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<ProcessSeen> {
  try {
    const looked = await flavour.lookAtEtcd(signal);
    if (looked.process === 'running')
      return { node: name, process: 'running', seen: `${looked.seen}, but etcd doesn't answer` };
    const words = await lastWords(flavour, host, signal);
    return {
      node: name,
      process: looked.process,
      seen: [looked.seen, words].filter((part) => part !== '').join('; '),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SalvorError)) throw error;
    const { type, message } = error;
    const isAway = type === 'HostUnreachable' || type === 'AccessDenied';
    // Without its manifest nothing runs; any other obstacle to the look says nothing about etcd.
    return {
      node: name,
      process: isAway ? 'unreachable' : type === 'UnsafeState' ? 'stopped' : 'running',
      seen: message,
    };
  }
}

/**
 * The last lines of etcd's log, if the way to get them is known. They explain the failure better than anything else.
 */
async function lastWords(flavour: FlavourNode, host: Host, signal: AbortSignal): Promise<string> {
  const argv = flavour.logCommand();
  if (argv === undefined) return '';
  const { exitCode, stdout, stderr } = await host
    .run(argv, { signal })
    .catch(() => ({ exitCode: 1, stdout: '', stderr: '' }));
  const said = `${stdout}\n${stderr}`.trim().replaceAll(/\s+/g, ' ');
  return exitCode === 0 && said !== '' ? `its log ends with: ${said.slice(-WORDS)}` : '';
}
