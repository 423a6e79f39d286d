import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withInitialCluster } from '../../../domain/members/initial-cluster.ts';

const WANTED = { cluster: 'm1=https://10.0.0.1:2380,m3=https://10.0.0.9:2380', state: 'existing' } as const;

describe('the initial cluster is written anew', () => {
  const cases: [what: string, before: string, after: string][] = [
    [
      'in a unit',
      'ExecStart=/usr/bin/etcd --name m1 --initial-cluster a=http://b:2380 \\\n  --initial-cluster-state=new \\\n  --initial-cluster-token=t\n',
      `ExecStart=/usr/bin/etcd --name m1 --initial-cluster ${WANTED.cluster} \\\n  --initial-cluster-state=existing \\\n  --initial-cluster-token=t\n`,
    ],
    [
      'in an environment file',
      'ETCD_NAME=m1\nETCD_INITIAL_CLUSTER="a=http://b:2380"\nETCD_INITIAL_CLUSTER_STATE=new\nETCD_INITIAL_CLUSTER_TOKEN=t\n',
      `ETCD_NAME=m1\nETCD_INITIAL_CLUSTER="${WANTED.cluster}"\nETCD_INITIAL_CLUSTER_STATE=existing\nETCD_INITIAL_CLUSTER_TOKEN=t\n`,
    ],
    [
      "in etcd's own file",
      "name: 'm1'\ninitial-cluster: 'a=http://b:2380'\ninitial-cluster-token: 't'\ninitial-cluster-state: new\n",
      `name: 'm1'\ninitial-cluster: '${WANTED.cluster}'\ninitial-cluster-token: 't'\ninitial-cluster-state: existing\n`,
    ],
    [
      'in JSON',
      '{"initial-cluster": "a=http://b:2380", "initial-cluster-state": "new"}',
      `{"initial-cluster": "${WANTED.cluster}", "initial-cluster-state": "existing"}`,
    ],
    [
      'in a script, and not in its comments',
      "# --initial-cluster=x --initial-cluster-state=new\nstart '--initial-cluster=a=http://b:2380' \\\n  '--initial-cluster-state=new' ;;\n",
      `# --initial-cluster=x --initial-cluster-state=new\nstart '--initial-cluster=${WANTED.cluster}' \\\n  '--initial-cluster-state=existing' ;;\n`,
    ],
    [
      'in the environment of a container',
      'environment:\n  - ETCD_INITIAL_CLUSTER=a=http://b:2380\n  - ETCD_INITIAL_CLUSTER_STATE=new\n',
      `environment:\n  - ETCD_INITIAL_CLUSTER=${WANTED.cluster}\n  - ETCD_INITIAL_CLUSTER_STATE=existing\n`,
    ],
    [
      'where it was written before',
      `--initial-cluster=${WANTED.cluster} --initial-cluster-state=existing`,
      `--initial-cluster=${WANTED.cluster} --initial-cluster-state=existing`,
    ],
  ];
  for (const [what, before, after] of cases) {
    test(what, () => assert.equal(withInitialCluster(before, WANTED, 'm1: f'), after));
  }

  const refused: [what: string, text: string, message: RegExp][] = [
    ['a file without it', 'ExecStart=/usr/bin/etcd\n', /m1: f sets initial-cluster nowhere/],
    ['a file without the state, which is "new" then', '--initial-cluster=a=b', /sets initial-cluster-state nowhere/],
    [
      'a file with two of them',
      '--initial-cluster=a=b --initial-cluster=c=d --initial-cluster-state=new',
      /initial-cluster 2 times/,
    ],
  ];
  for (const [what, text, message] of refused) {
    test(`${what} is refused`, () => {
      assert.throws(() => withInitialCluster(text, WANTED, 'm1: f'), { type: 'UnsafeState', message });
    });
  }
});
