import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isPlatform, releaseOf, thisPlatform } from '../../adapters/binaries/pins.ts';
import {
  archiveOf,
  createToolsWorld,
  fakeBinary,
  sha256,
  type ToolsWorld,
  writeBinary,
} from '../support/tools-world.ts';

const QUICKLY_MS = 10_000;
const platform = thisPlatform();
const etcd = releaseOf('etcd').release;
const artifact = isPlatform(platform) ? etcd.artifact('etcd', platform) : undefined;
if (artifact === undefined) throw new Error(`these tests need a platform with official releases, not ${platform}`);
const [ARCHIVE, SUMS] = [artifact.url, artifact.checksumsUrl].map((url) => url.replace('https://', ''));
if (ARCHIVE === undefined || SUMS === undefined) throw new Error('no URLs');
const FILE = ARCHIVE.split('/').at(-1) ?? '';
const FOLDER = `etcd-${etcd.version}-${platform}`;

/** Serves an etcd release; the sum in its checksum file is the right one unless given. */
async function serveEtcd(world: ToolsWorld, options: { version?: string; sum?: string } = {}): Promise<Buffer> {
  const says = fakeBinary(`etcd Version: ${options.version ?? etcd.version}`);
  const members = Object.fromEntries(Object.values(artifact?.members ?? {}).map((member) => [member, says]));
  const archive = await archiveOf(world, members);
  world.files.set(ARCHIVE ?? '', archive);
  world.files.set(SUMS ?? '', `${'0'.repeat(64)}  other.tar.gz\n${options.sum ?? sha256(archive)}  ${FILE}\n`);
  return archive;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

describe('an official release on a mirror', () => {
  it('is checked, installed once with the tools of the same archive, and then comes from the cache', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    const first = await world.provide(['etcd']);
    assert.equal(first.exitCode, 0, first.stderr);
    const path = join(world.cache, 'tools', FOLDER, 'etcd');
    assert.equal(first.stdout, `etcd ${etcd.version} ${path} (download)`);
    assert.match(first.stderr, /downloading http.*\n.*\(100 %\)/);
    assert.equal((await stat(path)).mode & 0o777, 0o755);
    assert.deepEqual(world.requests, [SUMS, ARCHIVE]);
    const second = await world.provide(['etcd', 'etcdctl', 'etcdutl']);
    assert.deepEqual(second.stdout.match(/\(cache\)/g)?.length, 3, second.stderr);
    assert.equal(world.requests.length, 2);
    assert.deepEqual((await world.cached()).length, 3);
  });

  it('is refused when its sum is not the one that the release names, and leaves nothing behind', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world, { sum: 'f'.repeat(64) });
    const { exitCode, stdout, stderr } = await world.provide(['etcd']);
    assert.equal(exitCode, 1);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`${FILE} is not the released file .* sha256 is \\w{64}, but f{64} says .*SUMS`));
    assert.deepEqual(await world.cached(), []);
  });

  it('is refused when its sum is not the pinned one, whatever the mirror says its sum is', async () => {
    await using world = await createToolsWorld();
    const pinned = releaseOf('versitygw').release.artifact(
      'versitygw',
      isPlatform(platform) ? platform : 'linux-amd64',
    );
    assert.ok(pinned?.sha256);
    const name = pinned.url.replace('https://', '');
    const forged = await archiveOf(world, { [pinned.members?.versitygw ?? '']: fakeBinary('Version  : 1.8.0') });
    world.files.set(name, forged);
    world.files.set(pinned.checksumsUrl.replace('https://', ''), `${sha256(forged)}  ${name.split('/').at(-1)}\n`);
    const { exitCode, stderr } = await world.provide(['versitygw']);
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`but ${pinned.sha256} is pinned`));
    assert.deepEqual(await world.cached(), []);
  });

  it('is refused when the transfer breaks off half-way', async () => {
    await using world = await createToolsWorld();
    const archive = await serveEtcd(world);
    world.files.set(ARCHIVE, (response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, archive.length / 2), () => response.destroy());
    });
    const { exitCode, stderr } = await world.provide(['etcd']);
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`broke off after \\d+ of ${archive.length} bytes`));
    assert.deepEqual(await world.cached(), []);
  });

  it('is refused when the binary in it is of another version', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world, { version: '3.6.1' });
    const { exitCode, stderr } = await world.provide(['etcd']);
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`expected version ${etcd.version}, but the fetched binary reports 3.6.1`));
    assert.deepEqual(await world.cached(), []);
  });

  it('is followed through redirects, as a proxy of packages may answer', async () => {
    await using world = await createToolsWorld();
    const archive = await serveEtcd(world);
    world.files.set(ARCHIVE, (response) => response.writeHead(302, { location: '/elsewhere' }).end());
    world.files.set('/elsewhere', archive);
    const { exitCode, stderr } = await world.provide(['etcd']);
    assert.equal(exitCode, 0, stderr);
  });

  it('that the mirror lacks gives an error with the URL, and nothing else is asked', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    world.files.delete(ARCHIVE);
    await writeBinary(join(world.bin, 'go'), '#!/bin/sh\necho unexpected >&2\nexit 1\n');
    const { exitCode, stderr } = await world.provide(['etcd']);
    assert.equal(exitCode, 1);
    assert.ok(stderr.includes(`${world.mirrorUrl}/${ARCHIVE}: answered 404`), stderr);
    assert.match(stderr, /SALVOR_MIRROR is set, so no other source was tried/);
    assert.doesNotMatch(stderr, /unexpected/);
  });

  it('is not looked for when the mirror is no URL', async () => {
    await using world = await createToolsWorld();
    const { exitCode, stderr } = await world.provide(['etcd'], { SALVOR_MIRROR: '/mnt/usb' });
    assert.equal(exitCode, 1);
    assert.match(stderr, /SALVOR_MIRROR: expected an http or https URL, got \/mnt\/usb/);
  });
});

describe('the official place', () => {
  // A proxy stands between the resolver and every official host, so these tests never leave the machine.
  it('that refuses connections is given up at once, and the tool is built', async () => {
    await using world = await createToolsWorld();
    const closed = createServer();
    const proxy = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    // Stands in for Go: writes what it was asked to build.
    const script = `while [ "$1" != -o ]; do shift; done\ncat > "$2" <<'END'\n${fakeBinary(`etcd Version: ${etcd.version}`)}END\n`;
    await writeBinary(join(world.bin, 'go'), `#!/bin/sh\n${script}`);
    const { exitCode, stdout, stderr, durationMs } = await world.provide(['etcd'], {
      SALVOR_MIRROR: '',
      HTTPS_PROXY: proxy,
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /could not be reached/);
    assert.match(stdout, /\(registry\)$/);
    assert.ok(durationMs < QUICKLY_MS, `took ${durationMs} ms`);
  });

  it('that never answers is given up within seconds, and not asked again for the next tool', async () => {
    await using world = await createToolsWorld();
    const silent = createServer(() => undefined);
    const proxy = await listening(silent);
    try {
      const { exitCode, stderr, durationMs } = await world.provide(['etcd', 'etcdctl', 'etcdutl', '--no-build'], {
        SALVOR_MIRROR: '',
        HTTPS_PROXY: proxy,
      });
      assert.equal(exitCode, 1);
      assert.equal(stderr.match(/etcd\w* 3\.6\.16 can't be provided: .*could not be reached/g)?.length, 3, stderr);
      assert.match(stderr, /building it from source was not allowed.* set SALVOR_ETCDCTL to its path/);
      assert.ok(durationMs < QUICKLY_MS, `took ${durationMs} ms`);
    } finally {
      silent.close();
    }
  });
});

describe('the cache', () => {
  it('never gives a binary that changed since it was put there: it is fetched again', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    await world.provide(['etcd']);
    const path = join(world.cache, 'tools', FOLDER, 'etcd');
    await appendFile(path, '\n# changed');
    const again = await world.provide(['etcd']);
    assert.match(
      again.stderr,
      /the cached binary is corrupt and will be replaced: .* expected \w{64}, which was recorded/,
    );
    assert.match(again.stdout, /\(download\)$/);
    assert.match((await world.provide(['etcd'])).stdout, /\(cache\)$/);
  });

  it('never gives a changed binary even when there is no other', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    await world.provide(['etcd']);
    await appendFile(join(world.cache, 'tools', FOLDER, 'etcd'), '\n# changed');
    world.files.clear();
    const again = await world.provide(['etcd']);
    assert.equal(again.exitCode, 1);
    assert.equal(again.stdout, '');
  });

  it('is filled once when two processes provide the same tool at the same time', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    const both = await Promise.all([world.provide(['etcd']), world.provide(['etcd'])]);
    for (const { exitCode, stdout, stderr } of both) {
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, new RegExp(`^etcd ${etcd.version} .*${FOLDER}/etcd`));
    }
    assert.equal(world.requests.filter((path) => path === ARCHIVE).length, 1);
    assert.deepEqual(
      (await world.cached()).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('is not blocked by the lock of a process that died', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    const died = spawn('true');
    await new Promise((resolve) => died.once('exit', resolve));
    await mkdir(join(world.cache, 'tools'), { recursive: true });
    await writeFile(join(world.cache, 'tools', `.${FOLDER}.lock`), `${died.pid} ${hostname()}`);
    const { exitCode, stderr, durationMs } = await world.provide(['etcd']);
    assert.equal(exitCode, 0, stderr);
    assert.ok(durationMs < QUICKLY_MS, `took ${durationMs} ms`);
  });
});

describe('what the machine has already', () => {
  it('is used when it fits: the setting before PATH, PATH before the cache', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    await world.provide(['etcd']);
    const onPath = await writeBinary(join(world.bin, 'etcd'), fakeBinary('etcd Version: 3.6.4'));
    assert.equal((await world.provide(['etcd'])).stdout, `etcd 3.6.4 ${onPath} (path)`);
    const set = await writeBinary(join(world.folder, 'mine'), fakeBinary('etcd Version: 3.6.5'));
    assert.equal((await world.provide(['etcd'], { SALVOR_ETCD: set })).stdout, `etcd 3.6.5 ${set} (setting)`);
  });

  it('is passed over on PATH when its version does not fit, when it names none, or when it fails', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    for (const content of [fakeBinary('etcd Version: 3.5.27'), fakeBinary('git'), '#!/bin/sh\nexit 3\n']) {
      await writeBinary(join(world.bin, 'etcd'), content);
      assert.match((await world.provide(['etcd'])).stdout, /\((download|cache)\)$/);
    }
  });

  it('is refused as a setting when its version does not fit, even with a good one in the cache', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    await world.provide(['etcd']);
    const old = await writeBinary(join(world.folder, 'old'), fakeBinary('etcd Version: 3.5.27'));
    const { exitCode, stderr } = await world.provide(['etcd'], { SALVOR_ETCD: old });
    assert.equal(exitCode, 1);
    assert.match(stderr, /SALVOR_ETCD=.*old is version 3\.5\.27, expected etcd 3\.6\.0 or later, below 3\.7\.0/);
  });

  it('is refused as a setting when it does not run', async () => {
    await using world = await createToolsWorld();
    for (const path of [
      join(world.folder, 'nowhere'),
      await writeBinary(join(world.folder, 'bad'), '#!/bin/sh\nexit 3\n'),
    ]) {
      const { exitCode, stderr } = await world.provide(['etcd'], { SALVOR_ETCD: path });
      assert.equal(exitCode, 1);
      assert.ok(stderr.includes(`SALVOR_ETCD=${path} does not run`), stderr);
    }
  });

  it('is all that findTool looks at: it asks no server and leaves the cache alone', async () => {
    await using world = await createToolsWorld();
    await serveEtcd(world);
    const { stdout, stderr } = await world.run(
      "import { findTool } from './adapters/binaries/binaries.ts'; console.log(await findTool('etcd'));",
    );
    assert.equal(stdout, 'undefined', stderr);
    assert.deepEqual(world.requests, []);
    assert.deepEqual(await world.cached(), []);
  });
});
