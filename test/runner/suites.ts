/** The suites of `make test`, what each needs, and which files belong to it. */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, matchesGlob, sep } from 'node:path';
import type { ToolName } from '../../tools/binaries.ts';

export interface Suite {
  name: 'unit' | 'workflow' | 'system' | 'kubernetes' | 'chaos' | 'e2e';
  /** `all`: runs when it is asked for by name or with `--all`. `name`: only by name. */
  onlyWith?: 'all' | 'name';
  /** The binaries without which its tests can't run. */
  needs: readonly ToolName[];
  /** Files at a time. A file that starts servers waits for them most of its time, so a few share the machine. */
  concurrency: number;
  /** For one file; past it the file's process is ended. */
  timeoutMs: number;
}

const SERVERS = ['temporal', 'etcd', 'etcdctl', 'etcdutl', 'versitygw'] as const satisfies ToolName[];

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [
  { name: 'unit', needs: [], concurrency: availableParallelism(), timeoutMs: 5 * 60_000 },
  { name: 'workflow', needs: ['temporal'], concurrency: 2, timeoutMs: 15 * 60_000 },
  { name: 'system', needs: SERVERS, concurrency: 3, timeoutMs: 20 * 60_000 },
  { name: 'kubernetes', needs: [...SERVERS, 'kube-apiserver', 'kubectl'], concurrency: 1, timeoutMs: 20 * 60_000 },
  { name: 'chaos', needs: SERVERS, concurrency: 2, timeoutMs: 30 * 60_000, onlyWith: 'all' },
  {
    name: 'e2e',
    needs: [...SERVERS, 'kubelet', 'kubeadm', 'kubectl', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
    concurrency: 1,
    timeoutMs: 40 * 60_000,
    onlyWith: 'name',
  },
];

const FOLDERS = ['unit', 'workflow', 'system', 'chaos', 'e2e'] as const;

/** The suite of a test file: its folder, but `*.kubernetes.test.ts` wherever it lies waits for kube-apiserver. */
export function suiteOf(file: string): Suite['name'] {
  if (file.endsWith('.kubernetes.test.ts')) return 'kubernetes';
  const folder = FOLDERS.find((name) => file.startsWith(`test/${name}/`));
  if (folder === undefined) throw new Error(`${file} lies in none of test/${FOLDERS.join(', test/')}`);
  return folder;
}

/**
 * The test files under `root`, with "/" and sorted.
 * @param patterns globs or parts of a path; a file must match one, when there are any
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
  return files
    .filter(
      (file) =>
        patterns.length === 0 || patterns.some((pattern) => file.includes(pattern) || matchesGlob(file, pattern)),
    )
    .toSorted();
}
