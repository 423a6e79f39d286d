/** Container engines for one test: docker with its own daemon, podman with its own storage. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../domain/errors.ts';
import { provideTool, type ToolName } from '../../adapters/binaries/binaries.ts';
import { environment } from '../../adapters/environment.ts';
import { until } from './until.ts';

export type EngineName = 'docker' | 'podman';

export interface Engine extends AsyncDisposable {
  name: EngineName;
  directory: string;
  /** With these variables, the program reaches this engine and no other. */
  env: Record<string, string>;
  run(...args: string[]): Promise<string>;
  /** Makes an image that contains nothing but tools. */
  buildImage(tag: string, tools: Partial<Record<string, ToolName>>): Promise<void>;
}

const PROGRAMS: Record<EngineName, string> = { docker: '/usr/sbin/dockerd', podman: '/usr/bin/podman' };

/** Why the engine can't run here; undefined if it can. */
export async function engineMissing(name: EngineName): Promise<string | undefined> {
  const program = PROGRAMS[name];
  const isThere = await access(program).then(
    () => true,
    () => false,
  );
  if (!isThere) return `there is no ${program} (Debian package ${name === 'docker' ? 'docker.io' : name})`;
  return process.getuid?.() === 0 ? undefined : `${name} is run as root here`;
}

export async function startEngine(name: EngineName): Promise<Engine> {
  const directory = await mkdtemp(join(tmpdir(), `salvor-${name}-`));
  const { env, stop } = name === 'docker' ? await startDockerd(directory) : await podmanStorage(directory);
  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(name, args, { env: { ...environment(), ...env } });
    return stdout.trim();
  };
  return {
    name,
    directory,
    env,
    run,
    async buildImage(tag, tools) {
      const folder = join(directory, 'image');
      await mkdir(folder);
      for (const [program, tool] of Object.entries(tools)) {
        if (tool === undefined) continue;
        await promisify(execFile)('cp', [(await provideTool(tool)).path, join(folder, program)]);
      }
      const archive = join(directory, 'image.tar');
      await promisify(execFile)('tar', ['-C', folder, '-cf', archive, '.']);
      await run('import', archive, tag);
    },
    async [Symbol.asyncDispose]() {
      const ids = (await run('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await run('rm', '--force', ...ids);
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startDockerd(directory: string) {
  const host = `unix://${join(directory, 'docker.sock')}`;
  const log = await open(join(directory, 'dockerd.log'), 'w');
  const args = ['--host', host, '--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')];
  const quiet = [
    '--pidfile',
    join(directory, 'pid'),
    '--bridge',
    'none',
    '--iptables=false',
    '--storage-driver',
    'vfs',
  ];
  const child = spawn(PROGRAMS.docker, [...args, ...quiet], { stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  const env = { DOCKER_HOST: host };
  const answers = async (): Promise<boolean> =>
    await promisify(execFile)('docker', ['info'], { env: { ...environment(), ...env } }).then(
      () => true,
      () => false,
    );
  await until('dockerd answers', answers).catch(async (error: unknown) => {
    throw new Error(`${messageOf(error)}:\n${(await readFile(join(directory, 'dockerd.log'), 'utf8')).slice(-2_000)}`);
  });
  const stop = async (): Promise<void> => {
    await end(child);
    // The daemon leaves the containers' network namespace mounted.
    await promisify(execFile)('umount', [join(directory, 'exec/netns/default')]);
  };
  return { env, stop };
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function podmanStorage(directory: string) {
  const file = (name: string): string => join(directory, name);
  await writeFile(
    file('storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = "${file('graph')}"\nrunroot = "${file('run')}"\n`,
  );
  await writeFile(file('containers.conf'), '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n');
  const env = { CONTAINERS_STORAGE_CONF: file('storage.conf'), CONTAINERS_CONF: file('containers.conf') };
  return { env, stop: async () => {} };
}
