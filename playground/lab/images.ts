/** Container images of one layer, which hold only the binaries in them; containerd and Docker load them from a file. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256OfFile } from '../../adapters/binaries/checksums.ts';
import { run } from './commands.ts';
import { REGISTRY } from './layout.ts';

export interface Image {
  name: string;
  tag: string;
  /** They are in /usr/local/bin, which is the image's PATH. */
  files: readonly string[];
  entrypoint?: string;
}

/** The same files give the same bytes, whoever builds them and when. */
const REPRODUCIBLE = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'] as const;

/** Writes `<folder>/<name>.tar` in the format of `docker save`. */
export async function buildImage({ name, tag, files, entrypoint }: Image, folder: string): Promise<void> {
  const staging = await mkdtemp(join(folder, '.building-'));
  try {
    const root = join(staging, 'root');
    const archive = join(staging, 'archive');
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await mkdir(join(root, 'etc'));
    await mkdir(join(root, 'tmp'), { mode: 0o777 });
    await mkdir(archive);
    for (const file of files) await copyFile(file, join(root, 'usr/local/bin', basename(file)));
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/false\n');
    await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
    await run(['tar', '--create', `--file=${join(archive, 'layer.tar')}`, ...REPRODUCIBLE, `--directory=${root}`, '.']);

    const configuration = {
      // Go's name for x64, which images also use.
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Env: ['PATH=/usr/local/bin'], WorkingDir: '/', ...(entrypoint ? { Entrypoint: [entrypoint] } : {}) },
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256OfFile(join(archive, 'layer.tar'))}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'playground/lab/images.ts' }],
    };
    const manifest = [{ Config: 'config.json', RepoTags: [`${REGISTRY}/${name}:${tag}`], Layers: ['layer.tar'] }];
    await writeFile(join(archive, 'config.json'), JSON.stringify(configuration));
    await writeFile(join(archive, 'manifest.json'), JSON.stringify(manifest));
    await run([
      'tar',
      '--create',
      `--file=${join(folder, `${name}.tar`)}`,
      ...REPRODUCIBLE,
      `--directory=${archive}`,
      '.',
    ]);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
