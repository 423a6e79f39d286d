import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfiguration, readConfiguration } from '../../../adapters/configuration/load.ts';
import { resolveCluster } from '../../../domain/configuration/resolve.ts';
import { configurationJsonSchema } from '../../../domain/configuration/schema.ts';
import { messageOf, SalvorError } from '../../../domain/errors.ts';

const STORES = 'stores:\n  local: { type: filesystem, path: backups }\n';
const CLUSTERS = `clusters:
  lab:
    flavour: etcd
    stores: [local]
    nodes:
      - { name: m1, address: 10.0.0.1, etcd: { service: { systemd: etcd } } }
`;

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-configuration-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function refusal(path: string): Promise<string[]> {
  const error: unknown = await loadConfiguration(path).then(
    () => assert.fail('the configuration was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SalvorError, messageOf(error));
  assert.equal(error.type, 'InvalidConfiguration');
  return error.message.replaceAll(root, '').split('\n').slice(1);
}

describe('a configuration in one file', () => {
  it('is read with the paths of the worker resolved against the file, wherever the worker was started', async () => {
    const path = await write(
      'one/salvor.yaml',
      `${STORES}  offsite:
    type: s3
    bucket: k8s-cluster
    ca: ca.pem
    credentials: { accessKeyId: { env: S3_KEY }, secretAccessKey: { file: ../secrets/s3 } }
clusters:
  lab:
    flavour: kubeadm
    stores: [local, offsite]
    kubeconfig: /etc/kubeconfig
    encryption: { recipients: [age1qqq], identities: [{ file: identity.txt }] }
    etcd: { tls: { ca: pki/ca.crt, cert: pki/client.crt, key: pki/client.key } }
    nodes:
      - { name: m1, address: 10.0.0.1, apiServer: { ca: pki/api.crt } }
`,
    );
    const cluster = resolveCluster(await loadConfiguration(path), 'lab');
    const [local, offsite] = cluster.stores;
    assert.ok(local?.type === 'filesystem' && offsite?.type === 's3');
    assert.equal(local.path, join(root, 'one/backups'));
    assert.equal(offsite.ca, join(root, 'one/ca.pem'));
    assert.deepEqual(offsite.credentials, {
      accessKeyId: { env: 'S3_KEY' },
      secretAccessKey: { file: join(root, 'secrets/s3') },
    });
    assert.equal(cluster.kubeconfig, '/etc/kubeconfig');
    assert.deepEqual(cluster.encryption?.identities, [{ file: join(root, 'one/identity.txt') }]);
    assert.equal(cluster.etcdTls?.key, join(root, 'one/pki/client.key'));
    assert.equal(cluster.nodes[0]?.apiServer?.ca, join(root, 'one/pki/api.crt'));
  });

  it('names file, line and column of a mistake', async () => {
    const path = await write('line.yaml', STORES + CLUSTERS.replace('name: m1', 'name: M1'));
    const [line, ...others] = await refusal(path);
    assert.match(line ?? '', /^ {2}\/line\.yaml:8:11 clusters\.lab\.nodes\.0\.name: expected 1 to 63/);
    assert.deepEqual(others, []);
  });

  it('names the line around a field that is missing', async () => {
    const path = await write('missing.yaml', STORES + CLUSTERS.replace('    flavour: etcd\n', ''));
    assert.deepEqual(await refusal(path), [
      '  /missing.yaml:4:3 clusters.lab.flavour: missing; expected one of: kubeadm, openshift, services, etcd',
    ]);
  });

  it('is refused with the line of a syntax error, and without the text of that line', async () => {
    const path = await write('syntax.yaml', `${STORES}secret: "not closed\n`);
    const lines = await refusal(path);
    assert.match(lines[0] ?? '', /^ {2}\/syntax\.yaml:4:1: Missing closing/);
    assert.doesNotMatch(lines.join(), /not closed/);
  });

  it('is refused when a name stands in it twice', async () => {
    const path = await write('twice.yaml', `${STORES}  local: { type: filesystem, path: other }\n${CLUSTERS}`);
    assert.deepEqual(await refusal(path), ['  /twice.yaml:3:3: Map keys must be unique']);
  });

  it('is refused when it holds two documents', async () => {
    const path = await write('documents.yaml', `${STORES}---\n${CLUSTERS}`);
    assert.deepEqual(await refusal(path), ['  /documents.yaml:3:1: expected one YAML document per file']);
  });

  it('is refused when an alias would make it grow without end', async () => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level += 1) {
      const [name, below] = [level, level - 1].map((index) => String.fromCodePoint(97 + index));
      levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${below}`).join(',')}]`);
    }
    const lines = await refusal(await write('bomb.yaml', levels.join('\n')));
    assert.match(lines.join(), /alias/i);
  });

  it('is refused when it is empty or only a list', async () => {
    assert.deepEqual(await refusal(await write('empty.yaml', '# nothing yet\n')), [
      '  /empty.yaml:1:1 stores: missing; expected a map',
      '  /empty.yaml:1:1 clusters: missing; expected a map',
    ]);
    assert.deepEqual(await refusal(await write('list.yaml', '- a\n')), [
      '  /list.yaml:1:1: expected "stores:" and "clusters:"',
    ]);
  });

  it('is refused by name when it is not there', async () => {
    const path = join(root, 'absent.yaml');
    await assert.rejects(loadConfiguration(path), /can't be read: ENOENT.*absent\.yaml/);
  });
});

describe('a configuration in a directory', () => {
  it('is the files together, each with its paths resolved, hidden and other files left out', async () => {
    await write('several/stores.yaml', STORES);
    await write('several/clusters.yml', CLUSTERS);
    await write('several/empty.yaml', '');
    await write('several/.old.yaml', 'nonsense: true');
    await write('several/notes.txt', 'nonsense');
    const { configuration, problems, warnings } = await readConfiguration(join(root, 'several'));
    assert.deepEqual([problems, warnings], [[], []]);
    assert.deepEqual(Object.keys(configuration?.clusters ?? {}), ['lab']);
    assert.deepEqual(configuration?.stores['local'], { type: 'filesystem', path: join(root, 'several/backups') });
  });

  it('is refused when two files name one cluster, and says which', async () => {
    await write('clash/a.yaml', STORES + CLUSTERS);
    await write('clash/b.yaml', CLUSTERS);
    assert.deepEqual(await refusal(join(root, 'clash')), [
      '  /clash/b.yaml:2:3 clusters.lab: also defined in /clash/a.yaml:4:3',
    ]);
  });

  it('names the file of a mistake', async () => {
    await write('wrong/a.yaml', STORES);
    await write('wrong/b.yaml', CLUSTERS.replace('[local]', '[offsite]'));
    await write('wrong/c.yaml', 'cluster: {}\n');
    assert.deepEqual(await refusal(join(root, 'wrong')), ['  /wrong/c.yaml:1:1 cluster: unknown field']);
    await rm(join(root, 'wrong/c.yaml'));
    assert.deepEqual(await refusal(join(root, 'wrong')), [
      '  /wrong/b.yaml:4:14 clusters.lab.stores.0: no store is named "offsite"; there are: local',
    ]);
  });

  it('is refused when there is no file in it', async () => {
    await mkdir(join(root, 'bare'));
    await assert.rejects(loadConfiguration(join(root, 'bare')), /bare is a directory without any \*\.yaml file/);
  });
});

describe('the JSON schema for editors', () => {
  it('takes what is optional in YAML as optional, and knows every section', () => {
    const text = JSON.stringify(configurationJsonSchema());
    assert.match(text, /"required":\["stores","clusters"\]/);
    assert.match(text, /"required":\["name","address"\]/);
  });
});
