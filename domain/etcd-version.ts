/** Versions of etcd. */

/** The major and minor version as one comparable number: 3.6.16 gives 3006. */
export function minorVersionOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1_000 + minor;
}
