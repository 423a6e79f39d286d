/**
 * Generates what fills the etcd of a live cluster. By bytes: a third pods, a fifth events, a fifth secrets
 * (certificates, and Helm's releases, which are already compressed), a tenth ConfigMaps, a tenth endpoint slices, a
 * twentieth leases. Leases have the most writes. Most keys have several revisions, since etcd keeps them until it
 * compacts.
 */
import { gzipSync } from 'node:zlib';
import { stored, type Value } from './protobuf.ts';
import { type Random, seeded } from './random.ts';

export interface KeyValue {
  key: string;
  value: Buffer;
}

const APPS = ['checkout', 'catalog', 'ledger', 'mailer', 'search', 'gateway', 'billing', 'inventory'] as const;
const TEAMS = ['payments', 'platform', 'storefront', 'data', 'observability', 'identity'] as const;
const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'] as const;
const REASONS = ['Pulled', 'Created', 'Started', 'Scheduled', 'Unhealthy', 'BackOff', 'SuccessfulCreate'] as const;
/** How many objects of a kind there are before they repeat as new revisions. */
const PODS = 6_000;
const LEASES = 1_500;
const NODES = 500;
const START_SECONDS = 1_767_225_600;

/** Yields endless writes in an order in which a cluster might make them. The same seed gives the same bytes. */
export function* kubernetesWrites(seed = 1): Generator<KeyValue, never> {
  const random = seeded(seed);
  const certificateAuthority = pem(random, 'CERTIFICATE', 820);
  for (let step = 0; ; step += 1) {
    const context: Context = { random, step, time: timestamp(START_SECONDS + step), certificateAuthority };
    yield pod(context);
    if (step % 6 === 0) yield pod({ ...context, step: Math.floor(step / 6) });
    for (let count = 0; count < 4; count += 1) yield lease(context, count);
    for (let count = 0; count < 2; count += 1) yield event(context);
    if (step % 2 === 0) yield endpointSlice(context);
    if (step % 2 === 0) yield configMap(context);
    if (step % 3 === 0) yield tlsSecret(context);
    if (step % 8 === 0) yield helmRelease(context);
  }
}

interface Context {
  random: Random;
  step: number;
  time: string;
  certificateAuthority: string;
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

function namespaceOf(index: number): string {
  return `${TEAMS[index % TEAMS.length]}-${index % 40}`;
}

function metadata({ random, time }: Context, name: string, namespace: string, labels: { [name: string]: Value }) {
  const managers = ['kube-controller-manager', 'kubelet', 'argocd-controller'].map((manager) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: `{"f:metadata":{"f:labels":{".":{},"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/instance":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\\"uid\\":\\"${random.uuid()}\\"}":{}}},"f:status":{"f:conditions":{"k:{\\"type\\":\\"Ready\\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:phase":{},"f:podIP":{},"f:startTime":{}}}`,
  }));
  return { name, namespace, uid: random.uuid(), creationTimestamp: time, labels: pairs(labels), managers };
}

/** Encodes a map as protobuf does: a list of messages, each with a key and a value. */
function pairs(map: { [name: string]: Value }): Value[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

function pod(context: Context): KeyValue {
  const { random, step, time } = context;
  const index = step % PODS;
  const app = APPS[index % APPS.length] ?? 'app';
  const namespace = namespaceOf(index);
  const name = `${app}-${(index * 7919).toString(16)}-${index.toString(36).padStart(5, 'x')}`;
  const containers = [app, 'istio-proxy', 'log-shipper'].map((container) => ({
    name: container,
    image: `registry.example.com/${namespace}/${container}@sha256:${random.hex(64)}`,
    args: ['--config=/etc/app/config.yaml', '--log-format=json', `--shard=${index % 16}`],
    env: pairs({
      POD_NAME: name,
      POD_NAMESPACE: namespace,
      GOMAXPROCS: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector.observability.svc.cluster.local:4317',
      DATABASE_URL: `postgres://${app}@${app}-db.${namespace}.svc.cluster.local:5432/${app}?sslmode=verify-full`,
      REVISION: random.hex(40),
    }),
    resources: pairs({ 'limits.cpu': '2', 'limits.memory': '1Gi', 'requests.cpu': '100m', 'requests.memory': '256Mi' }),
    probe: { path: '/healthz', port: 8080, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 },
    mounts: ['/etc/app', '/var/run/secrets/kubernetes.io/serviceaccount', '/tmp'],
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  }));
  const value = stored('v1', 'Pod', {
    metadata: metadata(context, name, namespace, {
      'app.kubernetes.io/name': app,
      'app.kubernetes.io/instance': `${app}-${namespace}`,
      'pod-template-hash': random.suffix(10),
      'topology.kubernetes.io/zone': random.pick(ZONES),
    }),
    spec: {
      volumes: [`kube-api-access-${random.suffix(5)}`, 'config', 'tmp'],
      containers,
      restartPolicy: 'Always',
      serviceAccountName: app,
      nodeName: `worker-${index % NODES}.example.com`,
      tolerations: ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'],
    },
    status: {
      phase: 'Running',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        time,
      })),
      podIP: `10.${random.integer(256)}.${random.integer(256)}.${random.integer(256)}`,
      containerStatuses: containers.map((container) => ({
        name: container.name,
        image: container.image,
        containerID: `containerd://${random.hex(64)}`,
        startedAt: time,
      })),
    },
  });
  return { key: `/registry/pods/${namespace}/${name}`, value };
}

function lease(context: Context, count: number): KeyValue {
  const { random, step, time } = context;
  const index = (step * 4 + count) % LEASES;
  const name = `worker-${index}.example.com`;
  const value = stored('coordination.k8s.io/v1', 'Lease', {
    metadata: { name, namespace: 'kube-node-lease', uid: random.uuid(), creationTimestamp: timestamp(START_SECONDS) },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: time },
  });
  return { key: `/registry/leases/kube-node-lease/${name}`, value };
}

function event(context: Context): KeyValue {
  const { random, step, time } = context;
  const namespace = namespaceOf(step);
  const app = random.pick(APPS);
  const name = `${app}-${random.suffix(5)}.${random.hex(16)}`;
  const reason = random.pick(REASONS);
  const value = stored('v1', 'Event', {
    metadata: metadata(context, name, namespace, {}),
    involvedObject: {
      kind: 'Pod',
      namespace,
      name: `${app}-${random.suffix(10)}-${random.suffix(5)}`,
      uid: random.uuid(),
    },
    reason,
    message: `${reason}: container ${app} of pod ${name} on worker-${random.integer(NODES)}.example.com`,
    source: { component: 'kubelet', host: `worker-${random.integer(NODES)}.example.com` },
    firstTimestamp: time,
    count: 1 + random.integer(20),
  });
  return { key: `/registry/events/${namespace}/${name}`, value };
}

function endpointSlice(context: Context): KeyValue {
  const { random, step } = context;
  const namespace = namespaceOf(step);
  const app = APPS[step % APPS.length] ?? 'app';
  const name = `${app}-${step % 400}`;
  const endpoints = Array.from({ length: 12 }, () => ({
    address: `10.${random.integer(256)}.${random.integer(256)}.${random.integer(256)}`,
    ready: 1,
    target: { kind: 'Pod', namespace, name: `${app}-${random.suffix(10)}-${random.suffix(5)}`, uid: random.uuid() },
    nodeName: `worker-${random.integer(NODES)}.example.com`,
    zone: random.pick(ZONES),
  }));
  const value = stored('discovery.k8s.io/v1', 'EndpointSlice', {
    metadata: metadata(context, name, namespace, { 'kubernetes.io/service-name': app }),
    addressType: 'IPv4',
    endpoints,
  });
  return { key: `/registry/endpointslices/${namespace}/${name}`, value };
}

function configMap(context: Context): KeyValue {
  const { random, step, certificateAuthority } = context;
  const namespace = namespaceOf(step);
  const isAuthority = step % 8 === 0;
  const name = isAuthority ? 'kube-root-ca.crt' : `${random.pick(APPS)}-config-${step % 700}`;
  const settings = Array.from(
    { length: 60 },
    (_, line) => `feature.${random.pick(APPS)}.limit${line}: ${random.integer(9_999)}\n`,
  );
  const data = isAuthority ? { 'ca.crt': certificateAuthority } : { 'config.yaml': settings.join('') };
  const value = stored('v1', 'ConfigMap', { metadata: metadata(context, name, namespace, {}), data: pairs(data) });
  return { key: `/registry/configmaps/${namespace}/${name}`, value };
}

function tlsSecret(context: Context): KeyValue {
  const { random, step, certificateAuthority } = context;
  const namespace = namespaceOf(step);
  const name = `${random.pick(APPS)}-tls-${step % 900}`;
  const data = {
    'ca.crt': certificateAuthority,
    'tls.crt': pem(random, 'CERTIFICATE', 900),
    'tls.key': pem(random, 'PRIVATE KEY', 1_190),
  };
  const value = stored('v1', 'Secret', {
    metadata: metadata(context, name, namespace, { 'cert-manager.io/certificate-name': name }),
    data: pairs(data),
    type: 'kubernetes.io/tls',
  });
  return { key: `/registry/secrets/${namespace}/${name}`, value };
}

/**
 * Makes a Secret with a Helm release. Helm puts base64 of gzip into it, and Kubernetes stores that text, which
 * compresses by only a quarter.
 */
function helmRelease(context: Context): KeyValue {
  const { random, step } = context;
  const namespace = namespaceOf(step);
  const name = `sh.helm.release.v1.${random.pick(APPS)}.v${step % 300}`;
  const manifest = Array.from(
    { length: 400 },
    () => `${random.pick(APPS)}: ${random.hex(24)} # ${random.pick(REASONS)}\n`,
  );
  const release = gzipSync(manifest.join('')).toString('base64');
  const value = stored('v1', 'Secret', {
    metadata: metadata(context, name, namespace, { owner: 'helm', status: 'deployed' }),
    data: pairs({ release }),
    type: 'helm.sh/release.v1',
  });
  return { key: `/registry/secrets/${namespace}/${name}`, value };
}

function pem(random: Random, label: string, bytes: number): string {
  const lines = random.base64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
