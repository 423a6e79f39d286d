import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Host } from '../../adapters/hosts/host.ts';
import { sshHost } from '../../adapters/hosts/ssh.ts';
import { cacheDirectory } from '../../adapters/environment.ts';
import { describeHost } from '../support/host-contract.ts';
import { ODD_WORDS, words } from '../support/odd-words.ts';
import { type Sshd, sshdMissing, startSshd } from '../support/sshd.ts';

const missing = await sshdMissing();

for (const sudo of [false, true]) {
  describeHost(
    `a machine over SSH as a host${sudo ? ', with sudo' : ''}`,
    async () => {
      const sshd = await startSshd();
      const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
      return {
        host: sshHost(sshd.node, { ...sshd.settings, sudo }),
        directory,
        async remove() {
          await sshd.stop();
          await rm(directory, { recursive: true });
        },
      };
    },
    missing,
  );
}

describe('a machine over SSH', { skip: missing ?? false }, () => {
  let sshd: Sshd;
  let host: Host;
  let signal: AbortSignal;
  before(async () => {
    sshd = await startSshd();
    host = sshHost(sshd.node, sshd.settings);
  });
  after(async () => await sshd.stop());
  beforeEach(() => {
    signal = AbortSignal.timeout(120_000);
  });

  async function assertSeen(argv: readonly string[]): Promise<void> {
    const { stdout } = await host.run(['printf', '%s\\0', ...argv], { signal });
    assert.deepEqual(stdout.split('\0').slice(0, -1), argv);
  }

  test('every word reaches the far program as it was', async () => {
    await assertSeen(ODD_WORDS);
    await fc.assert(fc.asyncProperty(words, assertSeen), { numRuns: 25 });
  });

  test('files get and keep names that a shell would take for something else', async () => {
    const names = ["it's", '$(touch x)', '`id`', 'a\nb', '-rf', '中文 🦆', '"', '\\', '*', '; reboot'];
    const directory = join(sshd.directory, "odd 'place'\n$HOME");
    await host.makeDirectory(directory, { mode: 0o700, signal });
    for (const name of names) {
      const first = join(directory, `${name}.first`);
      const path = join(directory, name);
      await host.write(first, Readable.from([Buffer.from(name)]), { mode: 0o600, signal });
      await host.rename(first, path, signal);
      assert.equal(await host.readText(path, signal), name);
      assert.equal(await host.typeOf(path, signal), 'file');
    }
    const listed = await host.list(directory, signal);
    assert.deepEqual(listed.map(({ name }) => name).toSorted(), names.toSorted());
    assert.deepEqual((await readdir(directory)).toSorted(), names.toSorted());
  });

  test('commands share one connection, whose socket nobody else can use', async () => {
    const accepted = async () => (await sshd.log()).split('Accepted publickey').length - 1;
    await host.run(['true'], { signal });
    const before = await accepted();
    for (let round = 0; round < 3; round += 1) await host.run(['true'], { signal });
    assert.equal(await accepted(), before);
    const folder = await stat(join(cacheDirectory(), 'ssh'));
    assert.equal(folder.mode & 0o777, 0o700);
  });

  test('more commands at once than a connection takes are all run', async () => {
    const numbers = Array.from({ length: 14 }, (_, index) => String(index));
    const results = await Promise.all(numbers.map((number) => host.run(['echo', number], { signal })));
    assert.deepEqual(
      results.map(({ stdout, stderr }) => stdout + stderr),
      numbers.map((number) => `${number}\n`),
    );
  });

  test('a host whose key is unknown is refused, with what to do, and nothing is written down', async () => {
    const knownHostsFile = join(sshd.directory, 'known_nobody');
    const stranger = sshHost(sshd.node, { ...sshd.settings, knownHostsFile });
    await assert.rejects(stranger.run(['true'], { signal }), {
      type: 'AccessDenied',
      message: /m1: no connection to .*: its host key is not known to the worker; .*known_nobody/,
    });
    await assert.rejects(readFile(knownHostsFile), { code: 'ENOENT' });
  });

  test('a host that shows another key than the known one is refused', async () => {
    const knownHostsFile = join(sshd.directory, 'known_others');
    const other = (await readFile(join(sshd.directory, 'client-key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
    await writeFile(knownHostsFile, `[127.0.0.1]:${sshd.port} ${other}\n`);
    await assert.rejects(sshHost(sshd.node, { ...sshd.settings, knownHostsFile }).run(['true'], { signal }), {
      type: 'AccessDenied',
      message: /m1: .*its host key differs from the known one/,
    });
  });

  test('a refused key is told from a node that is away', async () => {
    const identityFile = join(sshd.directory, 'host-key');
    await assert.rejects(sshHost(sshd.node, { ...sshd.settings, identityFile }).typeOf('/', signal), {
      type: 'AccessDenied',
      message: /m1: .*refuses the key of the worker; put the public key of .*host-key/,
    });
    const away = sshHost(sshd.node, { ...sshd.settings, port: 1 });
    await assert.rejects(away.typeOf('/', signal), { type: 'HostUnreachable', message: /m1: .*Connection refused/ });
  });

  test('a connection that breaks in the middle of a command is not taken for its end', async () => {
    const stopped = await startSshd();
    try {
      const broken = sshHost(stopped.node, stopped.settings);
      const read = async () => {
        const argv = ['sh', '-c', 'echo begun; sleep 300'] as const;
        for await (const _ of broken.stream(argv, { signal })) await stopped.stop();
      };
      await assert.rejects(read, { type: 'HostUnreachable', message: /m1: the connection to .* broke while/ });
    } finally {
      await stopped.stop();
    }
  });

  test('what a login shell says is not taken for output', async () => {
    const noisy = await startSshd([
      `ForceCommand echo welcome; echo careful >&2; sh -c "$SSH_ORIGINAL_COMMAND"; echo bye; echo "see you" >&2`,
    ]);
    try {
      const result = await sshHost(noisy.node, noisy.settings).run(['sh', '-c', 'echo out; echo err >&2; exit 4'], {
        signal,
      });
      assert.deepEqual(result, { exitCode: 4, stdout: 'out\n', stderr: 'err\n' });
    } finally {
      await noisy.stop();
    }
  });

  test('a login shell that runs nothing is no empty result', async () => {
    const closed = await startSshd(['ForceCommand echo This account is not available; exit 1']);
    try {
      await assert.rejects(sshHost(closed.node, closed.settings).run(['true'], { signal }), {
        type: 'AccessDenied',
        message: /m1: the login shell of .* ran no command \(exit code 1\)/,
      });
    } finally {
      await closed.stop();
    }
  });

  test('a jump host is gone through, with the same key and the same strictness', async () => {
    const bastion = await startSshd();
    try {
      const keys = join(bastion.directory, 'client-key.pub');
      await writeFile(keys, await readFile(join(sshd.directory, 'client-key.pub')));
      const { user } = sshd.settings;
      const jump = `${user}@127.0.0.1:${bastion.port}`;
      await assert.rejects(sshHost(sshd.node, { ...sshd.settings, jump }).run(['true'], { signal }), {
        message: /Host key verification failed|host key is known/,
      });
      const knownHostsFile = join(sshd.directory, 'known_both');
      const [one, other] = [sshd, bastion].map(({ directory }) => readFile(join(directory, 'known_hosts'), 'utf8'));
      await writeFile(knownHostsFile, `${await one}${await other}`);
      const through = sshHost(sshd.node, { ...sshd.settings, jump, knownHostsFile });
      const { stdout } = await through.run(['sh', '-c', 'echo "$SSH_CONNECTION"'], { signal });
      assert.match(stdout, new RegExp(` ${sshd.port}\n$`));
      assert.match(await bastion.log(), /Accepted publickey/);
    } finally {
      await bastion.stop();
    }
  });

  test('a command ends with the worker that asked for it', async () => {
    const pidFile = join(sshd.directory, 'left.pid');
    const program = `
      import { sshHost } from ${JSON.stringify(new URL('../../adapters/hosts/ssh.ts', import.meta.url).href)};
      const host = sshHost(${JSON.stringify(sshd.node)}, ${JSON.stringify(sshd.settings)});
      await host.run(['sh', '-c', ${JSON.stringify(`echo $$ >'${pidFile}'; sleep 300; true`)}], { signal: new AbortController().signal });`;
    const worker = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
    const pid = async () => (await readFile(pidFile, 'utf8').catch(() => '')).trim();
    while ((await pid()) === '') await delay(50, undefined, { signal });
    const isThere = async () => (await host.run(['kill', '-0', await pid()], { signal })).exitCode === 0;
    assert.equal(await isThere(), true);
    worker.kill('SIGKILL');
    while (await isThere()) await delay(50, undefined, { signal });
  });
});
