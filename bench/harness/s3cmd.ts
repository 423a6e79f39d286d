/** Finds s3cmd, with which scripts upload: the one on PATH, or one installed from PyPI into the cache. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { S3Server } from '../../test/support/s3-server.ts';
import { cacheDirectory } from '../../adapters/environment.ts';

const VERSION = '2.4.0';

export interface S3cmd {
  /** The first words of every command line. */
  command: [string, ...string[]];
  env: Record<string, string>;
}

/** @throws ExecaError if s3cmd can't be installed */
export async function provideS3cmd(server: S3Server, folder: string): Promise<S3cmd> {
  const configuration = join(folder, 's3cmd.ini');
  const host = server.endpoint.replace(/^https?:\/\//, '');
  const settings = {
    access_key: server.credentials.accessKeyId,
    secret_key: server.credentials.secretAccessKey,
    host_base: host,
    host_bucket: host,
    use_https: 'False',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(configuration, `[default]\n${lines.join('')}`, { mode: 0o600 });
  const onPath = await execa('s3cmd', ['--version'], { reject: false });
  if (onPath.exitCode === 0) return { command: ['s3cmd', '--config', configuration], env: {} };

  const packages = join(cacheDirectory(), 'bench', `s3cmd-${VERSION}`);
  await mkdir(packages, { recursive: true });
  await execa('python3', ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', packages, `s3cmd==${VERSION}`]);
  return {
    command: ['python3', join(packages, 'bin', 's3cmd'), '--config', configuration],
    env: { PYTHONPATH: packages },
  };
}
