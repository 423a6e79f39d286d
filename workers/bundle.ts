/**
 * Bundles the workflows for Temporal's sandbox and caches the bundle: bundling takes seconds, and a cluster that is
 * being restored would wait for its worker meanwhile.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { cacheDirectory } from '../adapters/environment.ts';

/** How many bundles the cache keeps, one per state of the source; each takes two megabytes. */
const KEPT = 10;
/** Everything that goes into a bundle besides the installed packages. */
const SOURCES = ['workflows', 'domain'] as const;

/**
 * Bundles every workflow of Salvor. If the same source was bundled before, the bundle comes from the cache. A cache
 * that can't be written is ignored.
 */
export async function bundleWorkflows(): Promise<WorkflowBundle> {
  const folder = join(cacheDirectory(), 'workflow-bundles');
  const file = join(folder, `${await fingerprint()}.js`);
  const kept = await readKept(file);
  if (kept !== undefined) return { code: kept };
  const bundle = await bundleWorkflowCode({
    workflowsPath: source('workflows/index.ts'),
    workflowInterceptorModules: [source('workflows/kit/references.ts'), source('workflows/kit/measure.ts')],
    // The bundler's own progress is noise at every start; its warnings are still shown.
    logger: new DefaultLogger('WARN'),
  });
  await keep(folder, file, bundle.code).catch(() => undefined);
  return bundle;
}

/** One hash of everything a bundle depends on. The folder is part of it: a bundle's stack traces name its files. */
async function fingerprint(): Promise<string> {
  const bundler = await readFile(createRequire(import.meta.url).resolve('@temporalio/worker/package.json'));
  const hash = createHash('sha256')
    .update(`${source('')} ${process.version}\n`)
    .update(bundler);
  for (const name of SOURCES) {
    const entries = await readdir(source(name), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.toSorted()) hash.update(`${file} ${sha256(await readFile(file))}\n`);
  }
  return hash.digest('hex');
}

/** The code in the file; undefined unless the file is whole, which its first line, the hash of the rest, proves. */
async function readKept(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const code = text.slice(text.indexOf('\n') + 1);
  if (!text.startsWith(`// ${sha256(code)}\n`)) return undefined;
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
  return code;
}

async function keep(folder: string, file: string, code: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, `// ${sha256(code)}\n${code}`);
  await rename(beside, file);
  const bundles = await Promise.all(
    (await readdir(folder)).map(async (name) => ({ name, usedMs: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { name } of bundles.toSorted((a, b) => b.usedMs - a.usedMs).slice(KEPT)) {
    await rm(join(folder, name), { force: true });
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function source(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
