/** The tests that every kind of host must pass. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import type { Host } from '../../adapters/hosts/host.ts';

export interface HostUnderTest {
  host: Host;
  /** An empty directory on the host. */
  directory: string;
  remove(): Promise<void>;
}

/** @param missing why this machine can't have such a host */
export function describeHost(name: string, open: () => Promise<HostUnderTest>, missing?: string): void {
  describe(name, { skip: missing ?? false }, () => {
    let signal: AbortSignal;
    let under: HostUnderTest;
    let host: Host;
    before(async () => {
      under = await open();
      host = under.host;
    });
    after(async () => {
      await under.host.close();
      await under.remove();
    });
    beforeEach(() => {
      signal = AbortSignal.timeout(120_000);
    });
    const at = (path: string) => join(under.directory, path);
    const put = async (path: string, content: string) => {
      await host.write(at(path), chunks(Buffer.from(content)), { mode: 0o600, signal });
    };

    test('a command gives its exit code and both outputs, and words reach it as they are', async () => {
      const result = await host.run(['sh', '-c', 'echo "$1"; echo "to err" >&2; exit 3', 'sh', "a 'b' $HOME *"], {
        signal,
      });
      assert.deepEqual(result, { exitCode: 3, stdout: "a 'b' $HOME *\n", stderr: 'to err\n' });
    });

    test('a command gets the variables it is given', async () => {
      const { stdout } = await host.run(['sh', '-c', 'echo "$COLOUR"'], { signal, env: { COLOUR: 'blue; rm -rf' } });
      assert.equal(stdout, 'blue; rm -rf\n');
    });

    test('the output of a command is streamed whole, however much it is and however slowly it is read', async () => {
      const source = host.stream(['sh', '-c', 'head -c 3000000 /dev/zero; echo ignored >&2'], { signal });
      let bytes = 0;
      for await (const chunk of source) {
        if (bytes === 0) await delay(300);
        bytes += chunk.length;
      }
      assert.equal(bytes, 3_000_000);
    });

    test('a streamed command that fails after all its output ends the stream with its last words', async () => {
      const read = async () => await text(host.stream(['sh', '-c', 'echo out; echo why >&2; exit 3'], { signal }));
      await assert.rejects(read, { type: 'CommandFailed', message: /exit code 3.*why/s });
    });

    test('a stream of a command that is not there says so', async () => {
      await assert.rejects(async () => await text(host.stream(['no-such-command'], { signal })), {
        type: 'ToolMissing',
        message: /no-such-command/,
      });
    });

    test('a streamed command is ended when its reader leaves, when the signal aborts and when it falls silent', async () => {
      const sleeper = (name: string): [string, ...string[]] => {
        return ['sh', '-c', `sleep 300 & echo $! > '${at(name)}'; echo begun; wait`];
      };
      for await (const chunk of host.stream(sleeper('left.pid'), { signal })) {
        assert.equal(Buffer.from(chunk).toString(), 'begun\n');
        break;
      }
      await assertGone(host, at('left.pid'), signal);

      const controller = new AbortController();
      const aborted = async () => {
        for await (const _ of host.stream(sleeper('streamed.pid'), { signal: controller.signal }))
          controller.abort(new Error('the operation was cancelled'));
      };
      await assert.rejects(aborted, /the operation was cancelled/);
      await assertGone(host, at('streamed.pid'), signal);

      const silent = async () => await text(host.stream(sleeper('silent.pid'), { signal, silenceMs: 300 }));
      await assert.rejects(silent, { type: 'CommandFailed', message: /nothing for 0.3 s/ });
      await assertGone(host, at('silent.pid'), signal);
    });

    test('a command that takes too long is ended with everything it started, and the message has its last words', async () => {
      const pidFile = at('child.pid');
      const script = `echo working on it >&2; sleep 300 & echo $! > '${pidFile}'; wait`;
      await assert.rejects(host.run(['sh', '-c', script], { signal, timeoutMs: 1_000 }), {
        type: 'CommandFailed',
        message: /ended after 1 s.*working on it/s,
      });
      await assertGone(host, pidFile, signal);
    });

    test('a command is ended when the signal aborts, with everything it started', async () => {
      const pidFile = at('aborted.pid');
      const controller = new AbortController();
      const running = host.run(['sh', '-c', `sleep 300 & echo $! > '${pidFile}'; wait`], { signal: controller.signal });
      const failed = assert.rejects(running, /the operation was cancelled/);
      while (!(await host.readText(pidFile, signal))?.endsWith('\n')) await host.typeOf(pidFile, signal);
      controller.abort(new Error('the operation was cancelled'));
      await failed;
      await assertGone(host, pidFile, signal);
    });

    test('a daemon that a command leaves behind does not hold it up', async () => {
      const startedMs = Date.now();
      const pidFile = at('daemon.pid');
      await host.run(['sh', '-c', `sleep 60 & echo $! > '${pidFile}'`], { signal, timeoutMs: 30_000 });
      assert.ok(Date.now() - startedMs < 20_000);
      await host.run(['kill', (await host.readText(pidFile, signal))?.trim() ?? ''], { signal });
    });

    test('of much output the end is kept', async () => {
      const { stdout } = await host.run(['sh', '-c', 'yes 0123456789abcde | head -c 8000000; echo; echo the end'], {
        signal,
      });
      assert.ok(stdout.length <= 1024 * 1024);
      assert.ok(stdout.endsWith('\nthe end\n'));
    });

    test('a command that is not there is a missing tool', async () => {
      await assert.rejects(host.run(['salvor-no-such-command'], { signal }), {
        type: 'ToolMissing',
        message: /salvor-no-such-command/,
      });
    });

    test('a file is written with its mode and digest, replaces an older one and leaves nothing beside it', async () => {
      const body = randomBytes(3_000_000);
      await host.makeDirectory(at('written'), { mode: 0o700, signal });
      await put('written/file', 'an older one');
      const written = await host.write(at('written/file'), chunks(body), { mode: 0o640, signal });
      assert.deepEqual(written, { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') });
      const { stdout } = await host.run(['stat', '-c', '%a', at('written/file')], { signal });
      assert.equal(stdout, '640\n');
      assert.deepEqual(await host.list(at('written'), signal), [{ name: 'file', type: 'file' }]);
      const hash = createHash('sha256');
      for await (const chunk of await host.read(at('written/file'), signal)) hash.update(chunk);
      assert.equal(hash.digest('hex'), written.sha256);
    });

    test('a write whose source breaks leaves the older file as it was and nothing beside it', async () => {
      await host.makeDirectory(at('broken'), { mode: 0o700, signal });
      await put('broken/file', 'an older one');
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield randomBytes(2_000_000);
        throw new Error('the source broke');
      }
      await assert.rejects(host.write(at('broken/file'), breaking(), { mode: 0o600, signal }), /the source broke/);
      assert.equal(await host.readText(at('broken/file'), signal), 'an older one');
      assert.deepEqual(await host.list(at('broken'), signal), [{ name: 'file', type: 'file' }]);
    });

    test('a write into a directory that is not there fails with its path', async () => {
      await assert.rejects(put('nowhere/file', 'x'), { type: 'CommandFailed', message: /nowhere\/file/ });
    });

    test('what is at a path is told, links followed; nothing is nothing', async () => {
      await put('plain', 'x');
      await host.makeDirectory(at('deep/er'), { mode: 0o700, signal });
      await host.run(['ln', '-s', at('deep'), at('link')], { signal });
      await host.run(['ln', '-s', at('gone'), at('dangling')], { signal });
      await host.run(['mkfifo', at('pipe')], { signal });
      const types = await Promise.all(
        ['plain', 'deep/er', 'link', 'dangling', 'pipe', 'plain/below'].map((path) => host.typeOf(at(path), signal)),
      );
      assert.deepEqual(types, ['file', 'directory', 'directory', undefined, 'other', undefined]);
      assert.equal(await host.readText(at('gone'), signal), undefined);
    });

    test('names with spaces, quotes, dollars and newlines are only names', async () => {
      const name = `odd 'name' "$HOME" \`id\`\n*`;
      await put(name, 'content');
      assert.equal(await host.readText(at(name), signal), 'content');
      assert.equal(await text(await host.read(at(name), signal)), 'content');
      assert.ok((await host.list(under.directory, signal)).some((entry) => entry.name === name));
    });

    test('a directory that exists keeps its mode', async () => {
      await host.makeDirectory(at('kept'), { mode: 0o750, signal });
      await host.makeDirectory(at('kept'), { mode: 0o700, signal });
      const { stdout } = await host.run(['stat', '-c', '%a', at('kept')], { signal });
      assert.equal(stdout, '750\n');
    });

    test('a directory is renamed, and never onto something, even an empty directory', async () => {
      await host.makeDirectory(at('old'), { mode: 0o700, signal });
      await put('old/file', 'data');
      await host.makeDirectory(at('empty'), { mode: 0o700, signal });
      await assert.rejects(host.rename(at('old'), at('empty'), signal), { type: 'CommandFailed', message: /empty/ });
      await host.rename(at('old'), at('new'), signal);
      assert.equal(await host.readText(at('new/file'), signal), 'data');
      assert.equal(await host.typeOf(at('old'), signal), undefined);
    });

    test("only what is Salvor's own is removed, and what is gone already is fine", async () => {
      await host.makeDirectory(at('etcd.salvor-new/deep'), { mode: 0o700, signal });
      await put('etcd.salvor-new/deep/file', 'x');
      await host.removeOwn(at('etcd.salvor-new'), signal);
      await host.removeOwn(at('etcd.salvor-new'), signal);
      assert.equal(await host.typeOf(at('etcd.salvor-new'), signal), undefined);
      await host.makeDirectory(at('etcd'), { mode: 0o700, signal });
      for (const path of [at('etcd'), `${at('x.salvor-y')}/../etcd`, at('x.salvor-y/etcd'), 'etcd.salvor-relative']) {
        await assert.rejects(host.removeOwn(path, signal), { type: 'UnsafeState' });
      }
      assert.equal(await host.typeOf(at('etcd'), signal), 'directory');
    });

    test('free space is told in bytes', async () => {
      const { stdout } = await host.run(['df', '--output=avail', '-B1', under.directory], { signal });
      const expected = Number(stdout.trim().split('\n').at(-1));
      const seen = await host.freeBytes(under.directory, signal);
      assert.ok(Math.abs(seen - expected) < 1e9, `${seen} is about ${expected}`);
    });

    test('nothing is done after an abort', async () => {
      const aborted = AbortSignal.abort(new Error('the operation was cancelled'));
      const acts = [
        () => host.run(['true'], { signal: aborted }),
        () => host.write(at('late'), chunks(Buffer.from('x')), { mode: 0o600, signal: aborted }),
        () => host.rename(at('plain'), at('late'), aborted),
      ];
      for (const act of acts) await assert.rejects(act, /the operation was cancelled/);
      assert.equal(await host.typeOf(at('late'), signal), undefined);
    });
  });
}

async function* chunks(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < body.length; position += 100_000) yield body.subarray(position, position + 100_000);
}

async function assertGone(host: Host, pidFile: string, signal: AbortSignal): Promise<void> {
  const pid = (await host.readText(pidFile, signal))?.trim() ?? '';
  assert.match(pid, /^\d+$/);
  const deadlineMs = Date.now() + 10_000;
  // A zombie that nobody has reaped yet counts as gone.
  const alive = async () =>
    (await host.run(['sh', '-c', `ps -o stat= -p ${pid} | grep -v Z`], { signal })).exitCode === 0;
  while (await alive()) assert.ok(Date.now() < deadlineMs, `process ${pid} is still there`);
}
