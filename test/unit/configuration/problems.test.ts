import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkConfiguration,
  configurationWarnings,
  parseConfiguration,
} from '../../../domain/configuration/resolve.ts';
import { SalvorError } from '../../../domain/errors.ts';

const SERVICE = { systemd: 'etcd' };

function node(fields: object = {}): object {
  return { name: 'm1', address: '10.0.0.1', etcd: { service: SERVICE }, ...fields };
}

function cluster(fields: object = {}): object {
  return { flavour: 'etcd', stores: ['local'], nodes: [node()], ...fields };
}

function configuration(fields: { stores?: object; cluster?: object; clusters?: object } = {}): object {
  return {
    stores: { local: { type: 'filesystem', path: '/backups' }, ...fields.stores },
    clusters: fields.clusters ?? { lab: cluster(fields.cluster) },
  };
}

function problems(value: unknown): string[] {
  return (checkConfiguration(value).problems ?? []).map(({ path, message }) => `${path}: ${message}`);
}

const NAME_RULE =
  'expected 1 to 63 lower-case letters, digits, "-" or ".", beginning and ending with a letter or digit';
const URL_RULE = 'expected http:// or https://, a host and a port, nothing after it';
const JUMP_RULE = 'expected one host, as in bastion, core@bastion or core@bastion:2222';
const DURATION_RULE = 'expected a duration such as 90s, 10m, 6h, 30d or 2w';
const SECRET_RULE =
  'expected a reference, {env: NAME} or {file: path}; a secret is never written into the configuration';
const SERVICE_RULE =
  'expected {systemd: UNIT}, {docker: CONTAINER}, {podman: CONTAINER}, {nerdctl: CONTAINER} or {start: [...], stop: [...], status: [...]}';

const s3 = (fields: object) => ({ stores: { s3: { type: 's3', bucket: 'k8s-cluster', ...fields } } });
const key = (accessKeyId: unknown) => s3({ credentials: { accessKeyId, secretAccessKey: { env: 'KEY' } } });
const withNode = (fields: object) => ({ cluster: { nodes: [node(fields)] } });
const withEtcd = (fields: object) => withNode({ etcd: { service: SERVICE, ...fields } });
const withNodes = (...nodes: object[]) => ({ cluster: { nodes: nodes.map(node) } });
const NODE = 'clusters.lab.nodes.0';

/** Each mistake alone, and the one line that it gives. */
const MISTAKES: [string, Parameters<typeof configuration>[0], string][] = [
  ['a store of an unknown type', { stores: { x: { type: 'ftp' } } }, 'stores.x.type: expected one of: filesystem, s3'],
  ['a store without a type', { stores: { x: {} } }, 'stores.x.type: expected one of: filesystem, s3'],
  ['a store without a path', { stores: { x: { type: 'filesystem' } } }, 'stores.x.path: missing; expected a text'],
  [
    'a newline in a path',
    { stores: { x: { type: 'filesystem', path: '/a\n/b' } } },
    'stores.x.path: expected a path without control characters',
  ],
  [
    'a bucket in capitals',
    s3({ bucket: 'Backups' }),
    'stores.s3.bucket: expected the name of a bucket: 3 to 63 lower-case letters, digits, "-" or "."',
  ],
  ['a prefix that climbs', s3({ prefix: 'a/../b' }), 'stores.s3.prefix: expected no "." or ".."'],
  [
    'a prefix with a slash at its end',
    s3({ prefix: 'a/' }),
    'stores.s3.prefix: expected names with "/" between them, none at the ends',
  ],
  ['an endpoint with a path', s3({ endpoint: 'https://s3.example.com/x' }), `stores.s3.endpoint: ${URL_RULE}`],
  ['an endpoint without a scheme', s3({ endpoint: 's3.example.com' }), `stores.s3.endpoint: ${URL_RULE}`],
  ['a port beyond all ports', s3({ endpoint: 'https://s3:70000' }), `stores.s3.endpoint: ${URL_RULE}`],
  ['a user in a URL', s3({ endpoint: 'https://me:pw@s3:443' }), `stores.s3.endpoint: ${URL_RULE}`],
  ['a secret written down', key('AKIAIOSFODNN7EXAMPLE'), `stores.s3.credentials.accessKeyId: ${SECRET_RULE}`],
  ['a secret of two sources', key({ env: 'A', file: 'b' }), `stores.s3.credentials.accessKeyId: ${SECRET_RULE}`],
  [
    'an environment variable with a dash',
    key({ env: 'S3-KEY' }),
    'stores.s3.credentials.accessKeyId.env: expected the name of an environment variable',
  ],
  [
    'half of the credentials',
    s3({ credentials: { accessKeyId: { env: 'A' } } }),
    `stores.s3.credentials.secretAccessKey: ${SECRET_RULE}`,
  ],
  ['a retention of nothing', s3({ retention: { keepLast: 0 } }), 'stores.s3.retention.keepLast: expected 1 or more'],
  [
    'a retention in words',
    s3({ retention: { keepWithin: '1 month' } }),
    `stores.s3.retention.keepWithin: ${DURATION_RULE}`,
  ],
  [
    'an unknown rule of retention',
    s3({ retention: { keepForever: true } }),
    'stores.s3.retention.keepForever: unknown field',
  ],
  [
    'an unknown artifact',
    s3({ holds: ['database'] }),
    'stores.s3.holds.0: expected one of: snapshot, static-resources, resources, volume',
  ],
  [
    'an unknown flavour',
    { cluster: { flavour: 'k3s' } },
    'clusters.lab.flavour: expected one of: kubeadm, openshift, services, etcd',
  ],
  ['no stores', { cluster: { stores: [] } }, 'clusters.lab.stores: expected at least one store'],
  ['no nodes', { cluster: { nodes: [] } }, 'clusters.lab.nodes: expected at least one node'],
  [
    'a store that is not there',
    { cluster: { stores: ['local', 'offsite'] } },
    'clusters.lab.stores.1: no store is named "offsite"; there are: local',
  ],
  [
    'a store of the language itself',
    { cluster: { stores: ['constructor'] } },
    'clusters.lab.stores.0: no store is named "constructor"; there are: local',
  ],
  [
    'a store listed twice',
    { cluster: { stores: ['local', 'local'] } },
    'clusters.lab.stores.1: the store "local" is listed twice',
  ],
  [
    'stores without a place for the snapshot',
    { stores: { local: { type: 'filesystem', path: '/keys', holds: ['static-resources'] } } },
    'clusters.lab.stores: none of these stores holds "snapshot"; expected at least one',
  ],
  ['a label that is no text', { cluster: { labels: { prod: true } } }, 'clusters.lab.labels.prod: expected a text'],
  [
    'a private key as recipient',
    { cluster: { encryption: { recipients: ['AGE-SECRET-KEY-1QQQ'] } } },
    'clusters.lab.encryption.recipients.0: expected an age recipient, beginning with age1',
  ],
  [
    'a schedule of two kinds',
    { cluster: { schedules: { backup: { every: '6h', cron: '0 3 * * 0' } } } },
    'clusters.lab.schedules.backup: expected either "every" or "cron"',
  ],
  [
    'a cron line of six fields',
    { cluster: { schedules: { backup: { cron: '0 0 3 * * 0' } } } },
    'clusters.lab.schedules.backup.cron: expected five fields, as in "0 3 * * 0"',
  ],
  [
    'a window in a zone that does not exist',
    { cluster: { schedules: { backup: { every: '6h', window: '00:00-06:00 Asia/Peking' } } } },
    'clusters.lab.schedules.backup.window: no such time zone; expected one as Asia/Shanghai',
  ],
  [
    'a window past midnight in one number',
    { cluster: { schedules: { backup: { every: '6h', window: '22:00-30:00' } } } },
    'clusters.lab.schedules.backup.window: expected "HH:MM-HH:MM" and optionally a time zone, as in "00:00-06:00 Asia/Shanghai"',
  ],
  [
    'an hour for a duration',
    { cluster: { schedules: { verify: { every: 'hourly' } } } },
    `clusters.lab.schedules.verify.every: ${DURATION_RULE}`,
  ],
  ['a misspelt field', withNode({ adress: '10.0.0.1' }), `${NODE}.adress: unknown field`],
  [
    'an address with a space',
    withNode({ address: '10.0.0.1 ' }),
    `${NODE}.address: expected a host name or an IP address`,
  ],
  [
    'an address that is an option',
    withNode({ address: '-oProxyCommand=sh' }),
    `${NODE}.address: expected a host name or an IP address`,
  ],
  ['an address that climbs', withNode({ address: 'a..b' }), `${NODE}.address: expected no ".."`],
  [
    'a user that is an option',
    withNode({ connection: { ssh: { user: '-l' } } }),
    `${NODE}.connection.ssh.user: expected a user name`,
  ],
  [
    'a user with a command',
    withNode({ connection: { ssh: { user: 'a;b' } } }),
    `${NODE}.connection.ssh.user: expected a user name`,
  ],
  ['port 0', withNode({ connection: { ssh: { port: 0 } } }), `${NODE}.connection.ssh.port: expected 1 or more`],
  [
    'port 70000',
    withNode({ connection: { ssh: { port: 70_000 } } }),
    `${NODE}.connection.ssh.port: expected 65535 or less`,
  ],
  [
    'a jump host that is an option',
    withNode({ connection: { ssh: { jump: '-oProxyCommand=sh' } } }),
    `${NODE}.connection.ssh.jump: ${JUMP_RULE}`,
  ],
  [
    'a jump host with a command',
    withNode({ connection: { ssh: { jump: 'bastion$(reboot)' } } }),
    `${NODE}.connection.ssh.jump: ${JUMP_RULE}`,
  ],
  [
    'a key whose path ssh would read otherwise',
    withNode({ connection: { ssh: { identityFile: '/keys/%d' } } }),
    `${NODE}.connection.ssh.identityFile: expected a path without quotation marks, backslashes, "$" and "%", which ssh would read`,
  ],
  [
    'an option of ssh that there is not',
    withNode({ connection: { ssh: { strictHostKeyChecking: false } } }),
    `${NODE}.connection.ssh.strictHostKeyChecking: unknown field`,
  ],
  [
    'an unknown connection',
    withNode({ connection: 'telnet' }),
    `${NODE}.connection: expected "local" or {ssh: {user: ..., port: ..., sudo: ...}}`,
  ],
  [
    'a relative data directory',
    withEtcd({ dataDir: 'etcd' }),
    `${NODE}.etcd.dataDir: expected an absolute path without a trailing "/" or control characters`,
  ],
  [
    'the root as data directory',
    withEtcd({ dataDir: '/' }),
    `${NODE}.etcd.dataDir: expected an absolute path without a trailing "/" or control characters`,
  ],
  [
    'a data directory that climbs',
    withEtcd({ dataDir: '/var/lib/../../etc' }),
    `${NODE}.etcd.dataDir: expected no "." or ".." in the path`,
  ],
  [
    'a client URL with a path',
    withEtcd({ clientUrl: 'https://10.0.0.1:2379/' }),
    `${NODE}.etcd.clientUrl: ${URL_RULE}`,
  ],
  [
    'a service without a status',
    withEtcd({ service: { start: ['a'], stop: ['b'] } }),
    `${NODE}.etcd.service.status: missing; expected a list`,
  ],
  ['a service as a text', withEtcd({ service: 'systemctl start etcd' }), `${NODE}.etcd.service: ${SERVICE_RULE}`],
  ['an empty service', withEtcd({ service: {} }), `${NODE}.etcd.service: ${SERVICE_RULE}`],
  [
    'a unit with a command',
    withEtcd({ service: { systemd: 'etcd; reboot' } }),
    `${NODE}.etcd.service.systemd: expected the name of a systemd unit, as in etcd or etcd@m1.service`,
  ],
  [
    'a container that docker would take for a flag',
    withEtcd({ service: { docker: '--all' } }),
    `${NODE}.etcd.service.docker: expected the name of a container, as in etcd or kube_apiserver-1`,
  ],
  [
    'an empty command',
    withEtcd({ service: { start: [], stop: ['b'], status: ['c'] } }),
    `${NODE}.etcd.service.start: expected a command: a list of at least one word`,
  ],
  [
    'etcd that nobody can stop',
    withNode({ etcd: undefined }),
    `${NODE}.etcd.service: missing; the flavour "etcd" needs the commands that start, stop and check etcd`,
  ],
  [
    'a kube-apiserver that nobody can stop',
    { cluster: { flavour: 'services' } },
    `${NODE}.apiServer.service: missing; the flavour "services" needs the commands that start, stop and check kube-apiserver (without Kubernetes, use the flavour "etcd")`,
  ],
  [
    'a kube-apiserver of etcd alone',
    withNode({ apiServer: { service: SERVICE } }),
    `${NODE}.apiServer: the flavour "etcd" has no kube-apiserver; with one, use the flavour "services"`,
  ],
  [
    'a node listed twice',
    withNodes({}, { address: '10.0.0.2' }),
    'clusters.lab.nodes.1.name: the same as node "m1"; expected each node once, with its own name',
  ],
  [
    'an address listed twice',
    withNodes({}, { name: 'm2' }),
    'clusters.lab.nodes.1.address: the same as node "m1"; expected each node once, with its own address',
  ],
  [
    'two members of one name',
    withNodes({}, { name: 'm2', address: '10.0.0.2', etcd: { service: SERVICE, memberName: 'm1' } }),
    'clusters.lab.nodes.1.etcd.memberName: the same as node "m1"; expected each node once, with its own memberName',
  ],
  [
    'two members on one machine with one data directory',
    withNodes(
      {},
      {
        name: 'm2',
        etcd: { service: SERVICE, clientUrl: 'http://10.0.0.1:12379', peerUrl: 'http://10.0.0.1:12380' },
      },
    ),
    'clusters.lab.nodes.1.etcd.dataDir: the same as node "m1"; expected each node once, with its own dataDir',
  ],
];

describe('a mistake in the configuration', () => {
  for (const [mistake, fields, expected] of MISTAKES) {
    it(`names its field and what was expected: ${mistake}`, () => {
      assert.deepEqual(problems(configuration(fields)), [expected]);
    });
  }

  for (const [what, value] of [
    ['nothing', undefined],
    ['a text', 'stores'],
    ['a list', []],
  ] as const) {
    it(`is refused when the whole is ${what}`, () => {
      assert.equal(problems(value).length, 1);
    });
  }

  it('is listed with all others in one error of type InvalidConfiguration', () => {
    const value = configuration({ stores: { x: {} }, cluster: { flavour: 'k3s' } });
    assert.throws(
      () => parseConfiguration(value, 'salvor.yaml'),
      (error) =>
        error instanceof SalvorError &&
        error.type === 'InvalidConfiguration' &&
        error.message.startsWith('salvor.yaml is not a valid configuration:\n') &&
        error.message.split('\n').length === 3,
    );
  });
});

/** Names become keys, workflow IDs, file names and arguments. */
const HOSTILE_NAMES = [
  '',
  ' ',
  '.',
  '..',
  'a..b',
  '../etc',
  'a/b',
  'a b',
  'a\nb',
  'a\u0000b',
  "a'b",
  'a"b',
  '$(reboot)',
  '`reboot`',
  'a;b',
  'a|b',
  '*',
  '-rf',
  'Prod',
  'prüf',
  'a'.repeat(64),
  'a-',
  'a.',
];

describe('a name that a shell, a path or a key could take for something else', () => {
  for (const name of HOSTILE_NAMES) {
    it(`is refused everywhere: ${JSON.stringify(name)}`, () => {
      const reason = name === 'a..b' ? 'expected no ".."' : NAME_RULE;
      const asNode = problems(configuration(withNode({ name })));
      assert.ok(asNode.includes(`${NODE}.name: ${reason}`), asNode.join('\n'));
      const asCluster = problems(configuration({ clusters: { [name]: cluster() } }));
      assert.equal(asCluster.length, 1);
      assert.match(asCluster[0] ?? '', /^clusters\..*: not a valid name: expected/);
      assert.doesNotMatch(asCluster[0] ?? '', /\n/);
      assert.notDeepEqual(problems(configuration({ stores: { [name]: { type: 'filesystem', path: '/x' } } })), []);
      assert.notDeepEqual(problems(configuration(withNode({ taskQueue: name }))), []);
      assert.notDeepEqual(problems(configuration(withEtcd({ memberName: name }))), []);
    });
  }

  it('is accepted when it is plain', () => {
    for (const name of ['a', '1', 'shjq-prod-a', 'a.b-c.9', 'constructor', 'a'.repeat(63)]) {
      assert.deepEqual(problems(configuration({ clusters: { [name]: cluster() } })), []);
    }
  });
});

describe('a secret in the wrong place', () => {
  it('is not repeated in the message', () => {
    const secret = 'AGE-SECRET-KEY-1TOPSECRET';
    const wrong = [
      key(secret),
      key([secret]),
      { cluster: { flavour: secret } },
      { cluster: { encryption: { recipients: [secret] } } },
      { cluster: { encryption: { recipients: secret } } },
      withNode({ connection: secret }),
      s3({ endpoint: `https://user:${secret}@s3` }),
      s3({ serverSideEncryption: secret }),
    ];
    for (const fields of wrong) {
      const found = problems(configuration(fields));
      assert.equal(found.length, 1);
      assert.doesNotMatch(found.join(), /TOPSECRET/);
    }
  });
});

describe('a warning', () => {
  function warnings(fields: Parameters<typeof configuration>[0]): string[] {
    const parsed = parseConfiguration(configuration(fields), 'test');
    return configurationWarnings(parsed).map(({ path, message }) => `${path}: ${message}`);
  }

  it('names both when keys and what they decrypt would lie in one store', () => {
    assert.deepEqual(warnings({ cluster: { encryptionAtRest: true } }), [
      'clusters.lab.stores.0: store "local" would hold both the snapshot of "lab" and, in its static resources, the keys that decrypt it; set "holds" to keep them apart',
    ]);
  });

  it('is absent when they lie apart', () => {
    const stores = {
      local: { type: 'filesystem', path: '/a', holds: ['snapshot'] },
      keys: { type: 'filesystem', path: '/b', holds: ['static-resources'] },
    };
    assert.deepEqual(warnings({ stores, cluster: { stores: ['local', 'keys'], encryptionAtRest: true } }), []);
  });

  it('tells of two stores that are one place', () => {
    assert.deepEqual(warnings({ stores: { second: { type: 'filesystem', path: '/backups' } } }), [
      'stores.second: the same place as store "local": a backup in both stores has only one copy',
    ]);
  });

  it('tells of backups that nobody could read', () => {
    assert.deepEqual(warnings({ cluster: { encryption: { recipients: ['age1qqq'] } } }), [
      'clusters.lab.encryption: no "identities": backups will be written, but verify and restore can\'t read them',
    ]);
  });

  it('tells of an etcd over https without certificates', () => {
    const message =
      'clusters.lab.etcd: no "tls": the worker has no client certificate, which this kind of etcd requires';
    assert.deepEqual(warnings({ cluster: { flavour: 'openshift' } }), [message]);
    // Of kubeadm's nodes the worker reads theirs, unless all have workers of their own.
    assert.deepEqual(warnings({ cluster: { flavour: 'kubeadm' } }), []);
    const nodes = [{ name: 'm1', address: '10.0.0.1', taskQueue: 'salvor-m1' }];
    assert.deepEqual(warnings({ cluster: { flavour: 'kubeadm', nodes } }), [message]);
  });

  it('is not given for a configuration without a fault', () => {
    assert.deepEqual(warnings({}), []);
  });
});
