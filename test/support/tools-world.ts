/**
 * A test machine for the resolver of binaries: its own cache and PATH, a mirror on a free port, and fake binaries.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { environmentVariable } from '../../adapters/environment.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The programs that the resolver and the fakes run. */
const PROGRAMS = ['sh', 'tar', 'gzip', 'nice', 'cat', 'chmod'];

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface ToolsWorld extends AsyncDisposable {
  folder: string;
  /** The only folder on PATH. */
  bin: string;
  cache: string;
  mirrorUrl: string;
  /** What the mirror serves, by `<host>/<path>`; a function writes its own answer. */
  files: Map<string, Buffer | string | ((response: ServerResponse) => void)>;
  /** The requests so far, in the same form. */
  requests: string[];
  /** Runs `tools/provide.ts`, with the mirror unless `SALVOR_MIRROR` is given. */
  provide(args: readonly string[], env?: Record<string, string>): Promise<Outcome>;
  /** Runs a TypeScript script on the same machine. */
  run(script: string): Promise<Outcome>;
  /** The entries of the cache's folder of tools. */
  cached(): Promise<string[]>;
}

export async function createToolsWorld(): Promise<ToolsWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'salvor-tools-'));
  const [bin, cache] = [join(folder, 'bin'), join(folder, 'cache')];
  await mkdir(bin);
  for (const program of PROGRAMS) await symlink(whereIs(program), join(bin, program));
  const files: ToolsWorld['files'] = new Map();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/salvor\//, '');
    requests.push(path);
    const file = files.get(path);
    if (typeof file === 'function') file(response);
    else if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': Buffer.byteLength(file) }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const mirrorUrl = `http://127.0.0.1:${address.port}/salvor`;

  async function node(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    const startedAt = performance.now();
    const { exitCode, stdout, stderr } = await execa(process.execPath, args, {
      reject: false,
      extendEnv: false,
      cwd: ROOT,
      env: { PATH: bin, HOME: folder, SALVOR_CACHE: cache, SALVOR_MIRROR: mirrorUrl, ...env },
    });
    return { exitCode: exitCode ?? -1, stdout, stderr, durationMs: performance.now() - startedAt };
  }

  return {
    folder,
    bin,
    cache,
    mirrorUrl,
    files,
    requests,
    provide: (args, env) => node(['tools/provide.ts', ...args], env),
    run: (script) => node(['--input-type=module-typescript', '--eval', script]),
    async cached() {
      return (await readdir(join(cache, 'tools')).catch(() => [])).toSorted((a, b) => a.localeCompare(b));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a program that prints a line, whatever its arguments. */
export function fakeBinary(line: string): string {
  return `#!/bin/sh\necho '${line}'\n`;
}

/** Writes an executable and returns its path. */
export async function writeBinary(path: string, content: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o755 });
  return path;
}

/** Packs executables, given by their paths, into a `.tar.gz`. */
export async function archiveOf(world: ToolsWorld, members: Record<string, string>): Promise<Buffer> {
  const folder = await mkdtemp(join(world.folder, 'archive-'));
  for (const [path, content] of Object.entries(members)) await writeBinary(join(folder, path), content);
  const archive = join(world.folder, 'archive.tar.gz');
  await execa('tar', ['-czf', archive, '-C', folder, ...Object.keys(members)]);
  return await readFile(archive);
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function whereIs(program: string): string {
  const folders = (environmentVariable('PATH') ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${program} is not on PATH`);
  return found;
}
