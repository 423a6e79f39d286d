/**
 * Words that a shell would take for something else, in every field of the configuration: each is refused by the schema,
 * or reaches the programs of a node as it is. The nodes are reached through an `ssh` that gives its line to a real
 * shell, as sshd does.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { z } from 'zod';
import { checkConfiguration } from '../../domain/configuration/resolve.ts';
import { configurationJsonSchema } from '../../domain/configuration/schema.ts';
import { environment } from '../../adapters/environment.ts';
import { ODD_WORDS } from '../support/odd-words.ts';

/** Each makes a file named `canary` in the working directory of whatever shell reads it. */
const CANARIES = [
  '$(touch canary)',
  '`touch canary`',
  '; touch canary',
  ';touch${IFS}canary',
  '\ntouch canary\n',
  "'; touch canary; '",
  '"; touch canary; "',
  "'$(touch canary)'",
  '& touch canary',
  '&& touch canary #',
  '|| touch canary',
  '| touch canary',
  '> canary',
  '-oProxyCommand=touch canary',
  '--checkpoint-action=exec=touch canary',
  '%h; touch canary',
  '\\$(touch canary)',
  'a\u2028$(touch canary)\u202e',
];
/** One of each kind. */
const FEW = [
  '$(touch canary)',
  '`touch canary`',
  ';touch${IFS}canary',
  '\ntouch canary\n',
  "'; touch canary; '",
  '-o=touch canary',
];
const CONFIGURATIONS = 6;

let sandbox: string;
before(async () => {
  sandbox = await mkdtemp(join(tmpdir(), 'salvor-odd-'));
});
after(async () => await rm(sandbox, { recursive: true, force: true }));

type Path = (string | number)[];

/** A configuration with every field; what are lists and maps has one entry, or one of each kind. */
function everything(): object {
  const worker = (name: string): string => join(sandbox, 'worker', name);
  const secret = { env: 'SECRET' };
  const retention = { keepLast: 1, keepWithin: '1d' };
  const command = (word: string): string[] => [`record-${word}`, word, 'odd'];
  const ssh = {
    user: 'core',
    port: 22,
    sudo: true,
    identityFile: worker('id'),
    knownHostsFile: worker('hosts'),
    jump: 'core@bastion:22',
  };
  const node = (name: string, index: number, etcdService: object, apiService: object): object => ({
    name,
    address: `10.0.0.${index}`,
    connection: { ssh },
    etcd: {
      memberName: name,
      clientUrl: `https://10.0.0.${index}:2379`,
      peerUrl: `https://10.0.0.${index}:2380`,
      dataDir: join(sandbox, `node-${name}`),
      etcdutl: join(sandbox, 'bin/etcdutl'),
      configuration: join(sandbox, 'etc', `${name}.conf`),
      service: etcdService,
    },
    apiServer: { url: `https://10.0.0.${index}:6443`, ca: worker('ca'), service: apiService },
    taskQueue: `queue-${name}`,
  });
  const s3 = (accessKeyId: object, secretAccessKey: object, sessionToken: object): object => ({
    type: 's3',
    bucket: 'bucket',
    prefix: 'a/b',
    endpoint: 'https://s3.example.com',
    region: 'eu-1',
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    ca: worker('s3-ca'),
    serverSideEncryption: { type: 'kms', keyId: 'key' },
    retention,
  });
  const file = { file: worker('key') };
  const often = { every: '1h', jitter: '1m', window: '00:00-06:00 Asia/Shanghai' };
  const weekly = { cron: '0 3 * * 0', timeZone: 'Asia/Shanghai' };
  const commands = { start: command('start'), stop: command('stop'), status: command('status') };
  const cluster = (schedules: object, nodes: object[]): object => ({
    flavour: 'services',
    labels: { tier: 'prod' },
    stores: ['local', 'offsite', 'vault'],
    encryption: { recipients: ['age1qqqq'], identities: [{ file: worker('identity') }] },
    schedules,
    etcd: { tls: { ca: worker('etcd-ca'), cert: worker('cert'), key: worker('etcd-key') } },
    kubeconfig: worker('kubeconfig'),
    staticResources: { paths: [join(sandbox, 'static')] },
    nodes,
  });
  return {
    stores: {
      local: { type: 'filesystem', path: worker('store'), retention, holds: ['snapshot'] },
      offsite: s3(secret, file, secret),
      vault: s3(file, secret, file),
    },
    clusters: {
      lab: cluster({ backup: often, verify: weekly, prune: often }, [
        node('m1', 1, commands, commands),
        node('m2', 2, { docker: 'etcd' }, { podman: 'api' }),
        node('m3', 3, { nerdctl: 'etcd' }, { systemd: 'api' }),
      ]),
      other: cluster({ backup: weekly, verify: often, prune: weekly }, [
        node('m4', 4, { systemd: 'etcd' }, { docker: 'api' }),
        node('m5', 5, { podman: 'etcd' }, { nerdctl: 'api' }),
      ]),
    },
  };
}

/** Every text in a value, with its path. */
function* textsIn(value: unknown, path: Path = []): Generator<[Path, string]> {
  if (typeof value === 'string') yield [path, value];
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* textsIn(item, [...path, index]);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) yield* textsIn(item, [...path, name]);
  }
}

/** The value with another text at a path. */
function withText(value: unknown, [first, ...rest]: Path, text: string): unknown {
  if (first === undefined) return text;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === first ? withText(item, rest, text) : item));
  const fields = value as Record<string, unknown>;
  return { ...fields, [first]: withText(fields[first], rest, text) };
}

const schemaNode = z.looseObject({
  type: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
});

/** The paths of everything that may be any text, by the schema; `*` for the names of a map and the places in a list. */
function* leavesOf(schema: unknown, path: string[] = []): Generator<string> {
  const parsed = schemaNode.safeParse(schema);
  if (!parsed.success) return;
  const {
    type,
    const: fixed,
    enum: choices,
    properties = {},
    additionalProperties,
    items,
    anyOf = [],
    oneOf = [],
  } = parsed.data;
  if (type === 'string' && fixed === undefined && choices === undefined) yield path.join('.');
  for (const [name, field] of Object.entries(properties)) yield* leavesOf(field, [...path, name]);
  if (additionalProperties !== false) yield* leavesOf(additionalProperties, [...path, '*']);
  yield* leavesOf(items, [...path, '*']);
  for (const branch of [...anyOf, ...oneOf]) yield* leavesOf(branch, path);
}

const MAPS = ['stores', 'clusters', 'labels'];

function leafName(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' || MAPS.includes(String(path[index - 1])) ? '*' : part))
    .join('.');
}

/** What may hold any text; of everything else the schema lets nothing through that a shell would read. */
const FREE = [
  /^clusters\.\*\.labels\.\*$/,
  /^clusters\.\*\.nodes\.\*\.(?:etcd|apiServer)\.service\.(?:start|stop|status)\.\*$/,
  /serverSideEncryption\.keyId$/,
];
/** Paths: anything but control characters. */
const PATHS =
  /(?:\.path|\.paths\.\*|\.file|\.ca|\.cert|\.key|\.kubeconfig|\.identityFile|\.knownHostsFile|\.dataDir|\.etcdutl|\.etcd\.configuration)$/;
const HARMLESS = /^(?!-)[A-Za-z0-9@:._/ *,[\]-]*$/;

/** The forms in which a word may get past a rule. */
function formsOf(word: string, text: string): string[] {
  return [
    word,
    text + word,
    word + text,
    `/${word}`,
    join(sandbox, word.replaceAll('/', '')),
    `https://${word}`,
    `age1${word}`,
  ];
}

function isAccepted(path: Path, text: string): boolean {
  return checkConfiguration(withText(everything(), path, text)).problems === undefined;
}

test('the configuration under test has every text that the schema knows', () => {
  const here = new Set([...textsIn(everything())].map(([path]) => leafName(path)));
  assert.deepEqual(checkConfiguration(everything()).problems, undefined);
  const missing = [...new Set(leavesOf(configurationJsonSchema()))].filter((leaf) => !here.has(leaf));
  assert.deepEqual(missing, []);
});

test('a field that is no free text and no path takes nothing that a shell would read, and nothing that begins as a flag', () => {
  // One of each: rules are the same in every node and store.
  const byName = new Map([...textsIn(everything())].map((leaf) => [leafName(leaf[0]), leaf]));
  const leaves = [...byName].filter(([name]) => !FREE.some((free) => free.test(name))).map(([, leaf]) => leaf);
  const odd = fc.oneof(
    fc.constantFrom(...CANARIES, ...ODD_WORDS),
    fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '(', ')', '`', '\n', ' ', '!', '*', ';', '&', 'a', '-', '/', '%'),
    }),
  );
  const holds = ([path, text]: [Path, string], word: string): void => {
    for (const form of formsOf(word, text)) {
      if (!isAccepted(path, form)) continue;
      const leaf = leafName(path);
      // oxlint-disable-next-line no-control-regex -- keeping control characters out is the point
      if (PATHS.test(leaf)) assert.doesNotMatch(form, /[\u0000-\u001f\u007f]/, leaf);
      else assert.match(form, HARMLESS, leaf);
    }
  };
  for (const leaf of leaves) for (const word of FEW) holds(leaf, word);
  fc.assert(fc.property(fc.constantFrom(...leaves), odd, holds), { numRuns: 100 });
});

test(
  'what is accepted reaches the programs of a node as it is, and no shell reads it',
  { timeout: 240_000 },
  async () => {
    const bin = join(sandbox, 'bin');
    const cwd = join(sandbox, 'cwd');
    const recorded = join(sandbox, 'recorded');
    for (const folder of [bin, cwd, join(sandbox, 'worker'), join(sandbox, 'etc')])
      await mkdir(folder, { recursive: true });
    const program = async (name: string, script: string): Promise<void> => {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    await program(
      'ssh',
      `for word; do
  case $word in ProxyCommand=*) sh -c "\${word#ProxyCommand=}" </dev/null >/dev/null 2>&1 ;; esac
  [ "$word" != -W ] || exit 0
  line=$word
done
exec sh -c "$line"`,
    );
    await program('sudo', '[ "$1 $2" = "-n --" ] || exit 64; shift 2; exec "$@"');
    const state = join(sandbox, 'running');
    const record = `printf '%s\\0' "$@" >>'${recorded}'`;
    await program('record-start', `${record}; touch '${state}'`);
    await program('record-stop', `${record}; rm -f '${state}'`);
    await program('record-status', `${record}; test -e '${state}'`);
    for (const name of ['docker', 'podman', 'nerdctl', 'systemctl']) {
      const tell = `if [ -e '${state}' ]; then echo running; else echo exited; ${name === 'systemctl' ? 'exit 3; ' : ''}fi`;
      await program(name, `case $1 in start) touch '${state}' ;; stop) rm -f '${state}' ;; *) ${tell} ;; esac`);
    }
    await program('etcdutl', `case $* in version) echo 'etcdutl version: 3.6.16' ;; *) ${record} ;; esac`);

    // In each configuration all of these fields have odd texts at once, and each field another one.
    const wanted: string[] = [];
    const configurations = Array.from({ length: CONFIGURATIONS }, (_, round) => {
      let value: unknown = everything();
      for (const [index, [path, text]] of [...textsIn(everything())].entries()) {
        const leaf = leafName(path);
        const isProgram = leaf.endsWith('.etcdutl') || text.startsWith('record-');
        if (isProgram || !(PATHS.test(leaf) || FREE.some((free) => free.test(leaf)))) continue;
        const word = CANARIES[(index + round) % CANARIES.length] ?? '';
        const forms = leaf.includes('.service.') ? [word] : formsOf(word, text).toReversed();
        for (const form of forms) {
          const changed = withText(value, path, form);
          if (/\.(?:dataDir|configuration)$/.test(leaf) && dirname(form) !== dirname(text)) continue;
          if (checkConfiguration(changed).problems !== undefined) continue;
          value = changed;
          if (leaf.includes('.etcd.service.') && path[1] === 'lab' && path[3] === 0) wanted.push(form);
          break;
        }
      }
      return value;
    });
    for (const configuration of configurations) {
      for (const [path, text] of textsIn(configuration)) {
        const leaf = leafName(path);
        if (leaf.endsWith('.dataDir')) await mkdir(text, { recursive: true });
        if (leaf.endsWith('.configuration'))
          await writeFile(text, "ETCD_INITIAL_CLUSTER='m1=http://h:1'\nETCD_INITIAL_CLUSTER_STATE=new\n");
      }
    }
    const file = join(sandbox, 'configurations.json');
    await writeFile(file, JSON.stringify(configurations));
    const script = fileURLToPath(new URL('../support/act-on-nodes.ts', import.meta.url));
    const env = {
      ...environment(),
      PATH: `${bin}:${environment()['PATH'] ?? ''}`,
      SALVOR_CACHE: join(sandbox, 'cache'),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [script, file], { cwd, env, maxBuffer: 1e8 });

    assert.deepEqual(await readdir(cwd), [], 'a shell has read a word of the configuration');
    const acts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { act: string; refused?: string });
    assert.ok(acts.filter(({ refused }) => refused === undefined).length > configurations.length, 'most acts are done');
    const words = new Set((await readFile(recorded, 'utf8')).split('\0'));
    assert.ok(wanted.length > 0);
    for (const word of wanted) assert.ok(words.has(word), `never seen by a program: ${JSON.stringify(word)}`);
  },
);
