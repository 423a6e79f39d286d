/** What the manifest of a node's kube-apiserver says. */
import type { ApiServerFlags } from '../../../domain/members/replacement-remarks.ts';
import type { Host } from '../../hosts/host.ts';
import { readManifest, type StaticPod } from './manifest.ts';
import { manifestPaths } from './manifest-files.ts';

const NAME = 'kube-apiserver';

/** Undefined on a node that runs none. */
async function readApiServer(host: Host, signal: AbortSignal): Promise<{ path: string; pod: StaticPod } | undefined> {
  const { place: path } = manifestPaths(NAME);
  const text = await host.readText(path, signal);
  return text === undefined ? undefined : { path, pod: readManifest(text, NAME, `${host.name}: ${path}`) };
}

export async function readApiServerFlags(host: Host, signal: AbortSignal): Promise<ApiServerFlags['flags']> {
  const found = await readApiServer(host, signal);
  if (found === undefined) return null;
  const { flags } = found.pod;
  return {
    path: found.path,
    etcdServers: flags.get('--etcd-servers') ?? null,
    advertiseAddress: flags.get('--advertise-address') ?? null,
  };
}

/** The path on the node of the configuration of encryption at rest; undefined when there is none. */
export async function findEncryptionConfiguration(host: Host, signal: AbortSignal): Promise<string | undefined> {
  const found = await readApiServer(host, signal);
  return found && encryptionConfigurationPath(found.pod);
}

export function encryptionConfigurationPath({ flags, onNode }: StaticPod): string | undefined {
  const inPod = flags.get('--encryption-provider-config');
  return inPod === undefined ? undefined : onNode(inPod);
}
