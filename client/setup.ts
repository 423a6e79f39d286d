/** Sets up what Salvor needs in a Temporal server: a namespace with search attributes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../domain/operations/common.ts';
import { SalvorOperationError } from './errors.ts';

export interface SetupReport {
  namespace: { name: string; state: 'present' | 'created' };
  searchAttributes: { name: string; state: 'present' | 'registered' }[];
}

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
const DEADLINE_MS = 60_000;
const NAMES: string[] = Object.values(SEARCH_ATTRIBUTES);

/** Creates whatever is missing, and returns once Temporal's caches know it. */
export async function setUp(
  client: Client,
  namespace: string,
  { retentionDays = 30 }: { retentionDays?: number },
): Promise<SetupReport> {
  const created = !(await namespaceExists(client, namespace));
  if (created) {
    await tolerating(status.ALREADY_EXISTS, () =>
      client.workflowService.registerNamespace({
        namespace,
        description: 'Salvor: backup and restore of Kubernetes control planes',
        workflowExecutionRetentionPeriod: msToTs(retentionDays * 86_400_000),
      }),
    );
    // Temporal's caches learn of the namespace some seconds later.
    const isKnown = () => tolerating(status.NOT_FOUND, () => registeredAttributes(client, namespace));
    await until(`namespace "${namespace}"`, async () => (await isKnown()) !== undefined);
  }
  const before = await registeredAttributes(client, namespace);
  const missing = NAMES.filter((name) => !before.has(name));
  if (missing.length > 0) {
    await tolerating(status.ALREADY_EXISTS, () =>
      client.connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      }),
    );
  }
  await until('the search attributes', () => areUsable(client));
  return {
    namespace: { name: namespace, state: created ? 'created' : 'present' },
    searchAttributes: NAMES.map((name) => ({ name, state: missing.includes(name) ? 'registered' : 'present' })),
  };
}

/** Salvor's missing search attributes, or undefined if the namespace itself is missing. */
export async function missingAttributes(client: Client, namespace: string): Promise<string[] | undefined> {
  if (!(await namespaceExists(client, namespace))) return undefined;
  const present = await registeredAttributes(client, namespace);
  return NAMES.filter((name) => !present.has(name));
}

async function namespaceExists(client: Client, namespace: string): Promise<boolean> {
  return (
    (await tolerating(status.NOT_FOUND, () => client.workflowService.describeNamespace({ namespace }))) !== undefined
  );
}

async function registeredAttributes(client: Client, namespace: string): Promise<Set<string>> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const named = Object.entries(customAttributes ?? {}).filter(([name]) => NAMES.includes(name));
  const other = named.find(([, type]) => type !== KEYWORD);
  if (other) {
    throw new SalvorOperationError(
      'TemporalRefused',
      `the search attribute "${other[0]}" of namespace "${namespace}" is there with another type; expected Keyword`,
    );
  }
  return new Set(named.map(([name]) => name));
}

/** Temporal's front end and its visibility store learn of a new attribute some seconds after it was added. */
async function areUsable(client: Client): Promise<boolean> {
  try {
    for (const name of NAMES) await client.workflow.count(`${name} = "none"`);
    return true;
  } catch {
    return false;
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline;) {
    if (await holds()) return;
    await sleep(200);
  }
  throw new SalvorOperationError('TemporalRefused', `${what}: created, but not usable after ${DEADLINE_MS / 1_000} s`);
}

async function tolerating<T>(code: status, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === code) return undefined;
    throw error;
  }
}
