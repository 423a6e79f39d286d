/** The command line as a process of its own, against a real Temporal server and operations that follow a script. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { SALVOR_VERSION } from '../../domain/version.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { environment } from '../../adapters/environment.ts';
import { quietRuntime } from '../support/temporal.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));
const PATIENCE_MS = 60_000;

interface Ended {
  exit: number | null;
  stdout: string;
  stderr: string;
}

let temporal: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
let address = '';
let directory = '';

before(async () => {
  quietRuntime();
  const { path } = await provideTool('temporal');
  temporal = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, log: { format: 'pretty', level: 'error' } },
  });
  ({ address } = temporal);
  directory = await mkdtemp(join(tmpdir(), 'salvor-cli-'));
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: 'salvor',
    workflowsPath: fileURLToPath(new URL('cli-workflows.ts', import.meta.url)),
  });
  running = worker.run();
});

after(async () => {
  worker.shutdown();
  await running;
  await temporal.teardown();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the command to its end; `during` sees what it has said so far, and may act on the process. */
async function salvor(
  args: string[],
  during: (child: { stderr: () => string; signal: (name: NodeJS.Signals) => void }) => Promise<void> = async () => {},
): Promise<Ended> {
  const env = { ...environment(), TEMPORAL_ADDRESS: address, HOME: directory };
  const child = spawn(SALVOR, args, { env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  try {
    await during({ stderr: () => stderr, signal: (name) => child.kill(name) });
    const exit = await Promise.race([ended, sleep(PATIENCE_MS, undefined, { ref: false }).then(() => undefined)]);
    assert.notEqual(exit, undefined, `salvor ${args.join(' ')} did not end; it said: ${stdout}${stderr}`);
    return { exit: exit ?? null, stdout, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !holds(); await sleep(50)) {
    assert.ok(Date.now() < deadline, `${what} did not happen in time`);
  }
}

function errorIn({ stdout }: Ended): { type: string; message: string; act: string; workflowId?: string } {
  return (JSON.parse(stdout) as { error: ReturnType<typeof errorIn> }).error;
}

describe('a call that is wrong', { concurrency: 3 }, () => {
  const configuration = () => join(directory, 'wrong.yaml');
  before(() => writeFile(configuration(), 'stores: {}\nclusters: { lab: { flavour: k3s } }\n'));

  for (const [what, args, exit, type, message] of [
    ['an unknown option', ['backup', 'lab', '--force'], 2, 'InvalidInput', /unknown option '--force'/],
    ['an unknown command', ['recover', 'lab'], 2, 'InvalidInput', /unknown command 'recover'/],
    ['no command', [], 2, 'InvalidInput', /./],
    ['no cluster', ['backup'], 2, 'InvalidInput', /missing required argument 'cluster'/],
    ['a cluster too many', ['backup', 'a', 'b'], 2, 'InvalidInput', /too many arguments/],
    ['an unknown format', ['backup', 'lab', '--output', 'xml'], 2, undefined, /xml/],
    ['a hostile cluster', ['backup', '$(reboot)'], 2, 'InvalidInput', /"cluster": expected a name/],
    ['a hostile store', ['backups', 'lab', '--store', '../etc'], 2, 'InvalidInput', /"store": expected a name/],
    ['a restore without confirmation', ['restore', 'lab'], 2, 'InvalidInput', /--confirm lab/],
    [
      'a confirmation of another',
      ['restore', 'lab', '--confirm', 'prod'],
      2,
      'ConfirmationMismatch',
      /"prod", expected "lab"/,
    ],
    [
      'a backup that is none',
      ['restore', 'lab', '--confirm', 'lab', '--backup', '20260231-000000'],
      2,
      'InvalidInput',
      /"backup": expected/,
    ],
    ['a limit that is none', ['operations', '--limit', '0'], 2, 'InvalidInput', /--limit 0/],
    [
      'an operation that is not there',
      ['show', 'backup/lab/none'],
      2,
      'UnknownOperation',
      /no operation "backup\/lab\/none"/,
    ],
    ['no configuration', ['config', 'print'], 2, 'InvalidConfiguration', /neither --config nor SALVOR_CONFIG/],
    [
      'a configuration that is not there',
      ['config', 'print', '--config', 'none.yaml'],
      2,
      'InvalidConfiguration',
      /ENOENT.*none\.yaml/,
    ],
    [
      'a worker with a wrong configuration',
      ['worker', '--config', 'wrong.yaml'],
      2,
      'InvalidConfiguration',
      /wrong\.yaml:2:20 clusters\.lab\.flavour/,
    ],
    ['no Temporal', ['backup', 'lab', '--address', '127.0.0.1:1'], 1, 'TemporalUnreachable', /127\.0\.0\.1:1/],
    [
      'a namespace that is not there',
      ['backup', 'lab', '--namespace', 'nowhere'],
      1,
      'TemporalNotSetUp',
      /no namespace "nowhere"/,
    ],
  ] as const) {
    it(`ends with ${exit} and says what is wrong, to people and to programs: ${what}`, async () => {
      const text = await salvor([...args]);
      assert.equal(text.exit, exit, text.stderr);
      assert.equal(text.stdout, '');
      assert.match(text.stderr, what === 'no command' ? /Usage: salvor/ : message);
      if (type === undefined) return;
      const json = await salvor([...args, '--output', 'json']);
      assert.equal(json.exit, exit);
      assert.equal(json.stderr, '');
      const error = errorIn(json);
      assert.equal(error.type, type);
      assert.match(error.message, message);
      assert.ok(error.act.length > 0);
    });
  }
});

describe('a Temporal server without the search attributes', () => {
  it('is named by every operation, by doctor too, and prepared once by setup', async () => {
    const refused = await salvor(['backup', 'lab', '-o', 'json']);
    assert.equal(refused.exit, 1);
    assert.equal(errorIn(refused).type, 'TemporalNotSetUp');
    assert.match(errorIn(refused).act, /salvor setup/);

    const doctor = await salvor(['doctor']);
    assert.equal(doctor.exit, 1);
    assert.match(doctor.stdout, /✖ Temporal is set up .*without the search attributes SalvorCluster, SalvorOperation/);

    const first = await salvor(['setup', '--output', 'json']);
    assert.equal(first.exit, 0, first.stderr);
    const attributes = (state: string) => ['SalvorCluster', 'SalvorOperation'].map((name) => ({ name, state }));
    assert.deepEqual(JSON.parse(first.stdout), {
      namespace: { name: 'default', state: 'present' },
      searchAttributes: attributes('registered'),
    });
    const second = await salvor(['setup', '--output', 'json']);
    assert.deepEqual(
      (JSON.parse(second.stdout) as { searchAttributes: unknown }).searchAttributes,
      attributes('present'),
    );
    assert.equal((await salvor(['doctor'])).exit, 0);
  });

  it('gets a namespace that was missing, usable at once', async () => {
    const setup = await salvor(['setup', '--namespace', 'ops']);
    assert.match(setup.stdout, /^namespace ops: created\n/);
    const started = await salvor(['backup', 'lab', '--namespace', 'ops', '--detach', '-o', 'json']);
    assert.equal(started.exit, 0, started.stdout);
  });
});

describe('an operation', () => {
  for (const [cluster, exit, says] of [
    ['lab', 0, /: complete\n/],
    ['degraded', 3, /! store "offsite" lacks snapshot: connection refused/],
  ] as const) {
    it(`ends with ${exit} when it is ${cluster}, its result alone on standard output`, async () => {
      const text = await salvor(['backup', cluster]);
      assert.equal(text.exit, exit);
      assert.match(text.stdout, says);
      assert.match(text.stderr, /^Back up .*\n.*✔ Stream the snapshot \(m1\) in 1\.2 s: revision 4200\n$/s);
      const json = await salvor(['backup', cluster, '--output', 'json']);
      assert.equal(json.exit, exit);
      assert.equal((JSON.parse(json.stdout) as { revision: string }).revision, '4200');
    });
  }

  for (const [cluster, exit, type] of [
    ['divided', 1, 'MembersDisagree'],
    ['unknown', 2, 'UnknownCluster'],
    ['strange', 1, 'OperationFailed'],
  ] as const) {
    it(`that fails ends with ${exit} and the innermost known type: ${type}`, async () => {
      const text = await salvor(['backup', cluster]);
      assert.equal(text.exit, exit);
      assert.equal(text.stdout, '');
      assert.match(text.stderr, new RegExp(`✖ ${type}: .*\\n  → .*\\n  its steps: salvor show backup/${cluster}/`));
      assert.ok(!text.stderr.includes('\u001b'), 'an escape sequence came through');
      const { type: jsonType, workflowId = '' } = errorIn(await salvor(['backup', cluster, '-o', 'json']));
      assert.equal(jsonType, type);
      const shown = await salvor(['show', workflowId, '-o', 'json']);
      assert.deepEqual([shown.exit, errorIn(shown).type], [exit, type]);
    });
  }

  it('that only looks says nothing but its result', async () => {
    const list = await salvor(['backups', 'lab']);
    assert.deepEqual(list, { exit: 0, stdout: 'No backups of lab. Take one: salvor backup lab\n', stderr: '' });
    assert.equal((await salvor(['backups', 'degraded'])).exit, 3);
    assert.equal((await salvor(['doctor', 'lab'])).exit, 0);
    const doctor = await salvor(['doctor', 'degraded', '-o', 'json']);
    assert.equal(doctor.exit, 1);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; ok: boolean }[] };
    assert.deepEqual(
      checks.filter(({ ok }) => !ok).map(({ name }) => name),
      ['stores'],
    );
  });

  it('restores with the confirmation, and tells a rollback from a success', async () => {
    const restored = await salvor(['restore', 'lab', '--confirm', 'lab', '--backup', '20261101-000000', '-o', 'json']);
    assert.equal(restored.exit, 0, restored.stdout);
    assert.equal((JSON.parse(restored.stdout) as { backup: string }).backup, '20261101-000000');
    assert.equal((await salvor(['restore', 'undone', '--confirm', 'undone'])).exit, 1);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`goes on when its command is left by ${signal}, which says how to come back`, async () => {
      const left = await salvor(['backup', 'slow', '-o', 'json'], async (child) => {
        await until('the first step', () => child.stderr().includes('Stream the snapshot'));
        child.signal(signal);
      });
      assert.equal(left.exit, 130, left.stderr);
      const { detached, workflowId } = JSON.parse(left.stdout) as { detached: boolean; workflowId: string };
      assert.ok(detached);
      assert.equal(
        left.stderr.trimEnd().split('\n').at(-1),
        `Detached; the operation continues. To come back: salvor show ${workflowId}`,
      );
      const shown = await salvor(['show', workflowId]);
      assert.equal(shown.exit, 0);
      assert.match(shown.stdout, /of slow: complete/);
    });
  }

  it('that is started with --detach is listed with who started it, and shown as it is', async () => {
    const started = await salvor(['backup', 'endless', '--detach', '-o', 'json']);
    const { workflowId } = JSON.parse(started.stdout) as { workflowId: string };
    assert.match(workflowId, /^backup\/endless\/\d{8}-\d{6}-[0-9a-f]{4}$/);
    let listed: { workflowId: string; status: string; startedBy: string }[] = [];
    for (const deadline = Date.now() + PATIENCE_MS; listed.length === 0 && Date.now() < deadline;) {
      const { stdout } = await salvor(['operations', 'endless', '-o', 'json']);
      listed = (JSON.parse(stdout) as { operations: typeof listed }).operations;
    }
    assert.deepEqual([listed[0]?.workflowId, listed[0]?.status], [workflowId, 'running']);
    assert.match(listed[0]?.startedBy ?? '', /.@./);

    const shown = await salvor(['show', workflowId, '--detach']);
    assert.match(shown.stdout, /▶ Stream the snapshot/);
    const following = salvor(['show', workflowId, '-o', 'json']);
    await temporal.client.workflow.getHandle(workflowId).cancel();
    const ended = await following;
    assert.deepEqual([ended.exit, errorIn(ended).type], [1, 'OperationCancelled']);
  });

  it('that no worker takes says so after some seconds instead of hanging in silence', async () => {
    const queue = 'nobody';
    const left = await salvor(['backup', 'lab', '--task-queue', queue], async (child) => {
      await until('the hint', () => child.stderr().includes('! '));
      child.signal('SIGINT');
    });
    assert.equal(left.exit, 130);
    assert.match(
      left.stderr,
      /! No worker polls the task queue "nobody" in namespace "default" at .*start a worker: salvor worker/,
    );
  });
});

describe('bin/salvor', () => {
  it('runs through symbolic links from anywhere', async () => {
    await symlink(SALVOR, join(directory, 'first'));
    await symlink('first', join(directory, 'second'));
    const child = spawn(join(directory, 'second'), ['--version'], { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const exit = await new Promise((resolve) => child.on('close', resolve));
    assert.deepEqual([exit, stdout], [0, `${SALVOR_VERSION}\n`]);
  });

  it('checks a configuration and prints it with the defaults, and no secret', async () => {
    const path = join(directory, 'good.yaml');
    await writeFile(
      path,
      `stores: { s3: { type: s3, bucket: k8s-cluster, credentials: { accessKeyId: { env: S3_KEY }, secretAccessKey: { file: key } } } }
clusters: { lab: { flavour: kubeadm, stores: [s3], etcd: { tls: { ca: a, cert: b, key: c } }, nodes: [{ name: m1, address: 192.0.2.1 }] } }
`,
    );
    const check = await salvor(['config', 'check', '-c', path]);
    assert.deepEqual([check.exit, check.stdout], [0, `✔ ${path} is valid: lab\n`]);
    const print = await salvor(['config', 'print', '-c', path, '-o', 'json']);
    const { clusters } = JSON.parse(print.stdout) as {
      clusters: { stores: { credentials: unknown }[]; nodes: { etcd: { clientUrl: string } }[] }[];
    };
    assert.equal(clusters[0]?.nodes[0]?.etcd.clientUrl, 'https://192.0.2.1:2379');
    assert.deepEqual(clusters[0]?.stores[0]?.credentials, {
      accessKeyId: { env: 'S3_KEY' },
      secretAccessKey: { file: join(directory, 'key') },
    });
    const schema = await salvor(['config', 'schema']);
    assert.equal(typeof JSON.parse(schema.stdout), 'object');
    const wrong = await salvor(['config', 'check', '-c', 'wrong.yaml', '-o', 'json']);
    assert.equal(wrong.exit, 2);
    assert.equal((JSON.parse(wrong.stdout) as { valid: boolean }).valid, false);
  });
});
