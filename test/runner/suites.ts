/** The suites of `make test`, what each needs, and which files belong to it. */
import { readdir } from 'node:fs/promises';
import { join, matchesGlob, sep } from 'node:path';
import type { ToolName } from '../../adapters/binaries/binaries.ts';
import { environmentVariable } from '../../adapters/environment.ts';
import { labMissing } from '../../playground/lab/missing.ts';

export interface Suite {
  name: 'unit' | 'workflow' | 'system' | 'kubernetes' | 'slow' | 'chaos' | 'e2e';
  /** Runs only if it is named, or with `--all`. */
  onlyWithAll?: true;
  /** The binaries that its tests need. */
  needs: readonly ToolName[];
  /** Why the suite can't run on this machine even with every binary; empty if it can. */
  missing?: () => Promise<string[]>;
  /**
   * The cores that one file takes. A file that starts servers spends some of its time waiting for them, so a few files
   * share the machine. `Infinity` is for a file that measures time and must run alone.
   */
  cores: number;
  /** The time limit for one file; after it, the file's process is killed. */
  timeoutMs: number;
}

const SERVERS = ['temporal', 'etcd', 'etcdctl', 'etcdutl', 'versitygw'] as const satisfies ToolName[];
const KUBERNETES = ['kube-apiserver', 'kubectl'] as const satisfies ToolName[];

/** The suites, in the order in which their files begin. */
export const SUITES: readonly Suite[] = [
  { name: 'unit', needs: [], cores: 1, timeoutMs: 5 * 60_000 },
  { name: 'workflow', needs: ['temporal'], cores: 1 / 2, timeoutMs: 15 * 60_000 },
  { name: 'kubernetes', needs: SERVERS, cores: 1, timeoutMs: 20 * 60_000 },
  { name: 'system', needs: SERVERS, cores: 1 / 2, timeoutMs: 20 * 60_000 },
  { name: 'slow', needs: SERVERS, cores: 2 / 3, timeoutMs: 20 * 60_000, onlyWithAll: true },
  { name: 'chaos', needs: SERVERS, cores: 1, timeoutMs: 2 * 60 * 60_000, onlyWithAll: true },
  {
    name: 'e2e',
    needs: [...SERVERS, 'kubelet', 'kubeadm', 'kubectl', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
    missing: labMissing,
    cores: Infinity,
    // A whole matrix has hundreds of cells and takes a minute for each.
    timeoutMs: (environmentVariable('SALVOR_MATRIX') === undefined ? 40 : 12 * 60) * 60_000,
    onlyWithAll: true,
  },
];

/** The binaries that single files need in addition to those of their suite. */
const MORE_NEEDS: Record<string, readonly ToolName[]> = {
  'test/chaos/etcd-versions.test.ts': ['etcd35', 'etcdutl35'],
  'test/chaos/containers.test.ts': ['etcd35', 'etcdutl35'],
};

/** The binaries that a file's tests need. */
export function needsOf(suite: Suite, file: string): readonly ToolName[] {
  return [...suite.needs, ...(file.includes('.kubernetes.') ? KUBERNETES : []), ...(MORE_NEEDS[file] ?? [])];
}

/** Files that begin before others in their suite, longest first: a long file that begins last delays the whole run. */
export const LONGEST = [
  'test/system/kill-matrix.test.ts',
  'test/system/restore.kubernetes.test.ts',
  'test/system/cli.test.ts',
  'test/system/restore.test.ts',
  'test/system/rollback.test.ts',
  'test/system/stores-s3.test.ts',
  'test/system/replace-member.slow.test.ts',
  'test/system/verify.slow.test.ts',
  'test/system/hosts-ssh.slow.test.ts',
  'test/system/many-backups.slow.test.ts',
  'test/system/restore-cases.slow.test.ts',
  'test/system/verify.kubernetes.slow.test.ts',
  'test/system/aftercare.kubernetes.slow.test.ts',
  'test/chaos/odd-configuration.test.ts',
  'test/chaos/etcd-versions.test.ts',
  'test/chaos/containers.test.ts',
  'test/workflow/restore.test.ts',
  'test/workflow/replace-member.test.ts',
  'test/workflow/backup.test.ts',
  'test/unit/flavours/static-pods.test.ts',
];

const FOLDERS = ['unit', 'workflow', 'system', 'chaos', 'e2e'] as const;

/**
 * The suite of a test file. It is the file's folder, with two exceptions in any folder: `make test` has no time for
 * `*.slow.test.ts`, and `*.kubernetes.test.ts` wait for kube-apiserver.
 */
export function suiteOf(file: string): Suite['name'] {
  if (file.endsWith('.slow.test.ts')) return 'slow';
  if (file.endsWith('.kubernetes.test.ts')) return 'kubernetes';
  const folder = FOLDERS.find((name) => file.startsWith(`test/${name}/`));
  if (folder === undefined) throw new Error(`${file} lies in none of test/${FOLDERS.join(', test/')}`);
  return folder;
}

/**
 * The test files under `root`, with "/", in the order in which they begin within their suites.
 * @param patterns globs or parts of a path; if there are any, a file must match one
 */
export async function findTestFiles(root: string, patterns: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const folder of FOLDERS) {
    const entries = await readdir(join(root, 'test', folder), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.test.ts')) continue;
      files.push(
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll(sep, '/'),
      );
    }
  }
  const matches = (file: string): boolean =>
    patterns.length === 0 || patterns.some((pattern) => file.includes(pattern) || matchesGlob(file, pattern));
  return files.filter(matches).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function rank(file: string): number {
  const index = LONGEST.indexOf(file);
  return index === -1 ? LONGEST.length : index;
}
