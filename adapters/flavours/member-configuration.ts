/** Rewrites the file with the initial cluster of a node's etcd, for a joining member. */
import { Readable } from 'node:stream';
import { SalvorError } from '../../domain/errors.ts';
import { asideName } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';
import { runOn } from '../hosts/run-on.ts';
import type { FlavourNode } from './flavour.ts';

/**
 * Writes the configuration with which the member joins; its etcd must be stopped. A repetition changes nothing.
 * @returns the files that were moved aside
 */
export async function configureMember(
  { member }: FlavourNode,
  host: Host,
  { initialCluster, operationId }: { initialCluster: string; operationId: string },
  signal: AbortSignal,
): Promise<{ path: string; setAside: string[] }> {
  const found = await member.find(signal);
  if (found === undefined)
    throw new SalvorError('UnsafeState', `${host.name}: the manifest of etcd has disappeared since the last check`);
  const { path, text } = found;
  const aside = asideName(member.keptBeside(found), operationId);
  const wanted = member.joiningText(found, initialCluster);
  if (wanted !== text) {
    // A copy, not a move: the file is never missing, and the first copy is the original.
    if ((await host.typeOf(aside, signal)) === undefined) await copy(host, path, aside, signal);
    await writeLike(host, path, wanted, signal);
  }
  const others = await member.finish(operationId, signal);
  return { path, setAside: [...((await host.typeOf(aside, signal)) === undefined ? [] : [aside]), ...others] };
}

async function copy(host: Host, from: string, to: string, signal: AbortSignal): Promise<void> {
  await runOn(host, ['cp', '--preserve=mode,ownership,timestamps', '--no-target-directory', '--', from, to], signal);
}

/** Whole or not at all, with the same owner and permissions. */
async function writeLike(host: Host, path: string, text: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await host.run(['stat', '-c', '%a %u:%g', '--', path], { signal });
  const [mode = '600', owner = ''] = stdout.trim().split(' ');
  await host.write(path, Readable.from([Buffer.from(text)]), { mode: Number.parseInt(mode, 8), signal });
  await runOn(host, ['chown', owner, '--', path], signal);
}
