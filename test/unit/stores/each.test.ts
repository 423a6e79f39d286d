import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkStores } from '../../../adapters/stores/check-stores.ts';
import { inEachStore, reasonsOf, requireAny } from '../../../adapters/stores/each.ts';
import { openStores } from '../../../adapters/stores/open.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { CLUSTER } from '../../support/fake-activities.ts';

const signal = AbortSignal.timeout(60_000);
let directory: string;
before(async () => (directory = await mkdtemp(join(tmpdir(), 'salvor-test-'))));
after(async () => await rm(directory, { recursive: true }));

/** Stores of the names that are there, then those that aren't. */
async function storesOf(good: string[], bad: string[]) {
  const at = (name: string, path: string) => ({ name, type: 'filesystem' as const, path });
  const stores = [
    ...good.map((name) => at(name, directory)),
    ...bad.map((name) => at(name, join(directory, 'missing'))),
  ];
  const cluster = { ...CLUSTER, stores };
  return { cluster, opened: await openStores(cluster) };
}

test('a store that fails is named, and the others are good', async () => {
  const { cluster, opened } = await storesOf(['a'], ['b']);
  const { good, failing } = await checkStores(cluster, opened, 1, signal);
  assert.deepEqual(good, ['a']);
  assert.deepEqual(
    failing.map(({ store, noRoom }) => [store, noRoom]),
    [['b', false]],
  );
});

test('a store without room is named so; where none is left, its failure is thrown', async () => {
  const { cluster, opened } = await storesOf(['a'], []);
  await assert.rejects(checkStores(cluster, opened, Number.MAX_SAFE_INTEGER, signal), { type: 'NoSpace' });
  const [full] = opened;
  assert.ok(full);
  const small = { ...full, name: 's' };
  const { good, failing } = await checkStores(cluster, [small, ...opened], Number.MAX_SAFE_INTEGER, signal);
  assert.deepEqual(good, ['s']);
  assert.deepEqual(
    failing.map(({ store, noRoom }) => [store, noRoom]),
    [['a', true]],
  );
});

test('no room is asked for when nothing is to be written', async () => {
  const { cluster, opened } = await storesOf(['a'], []);
  assert.deepEqual(await checkStores(cluster, opened, undefined, signal), { good: ['a'], failing: [] });
});

test('in each store: what fails in one is kept, and thrown only when it was done in none', async () => {
  const { opened } = await storesOf(['a', 'b'], []);
  const failing = (names: string[]) => async (store: Store) => {
    if (names.includes(store.name)) throw new SalvorError('StoreUnavailable', `${store.name} is away`);
  };
  const tried = await inEachStore(opened, signal, failing(['a']));
  assert.deepEqual(tried.done, ['b']);
  assert.deepEqual(reasonsOf(tried), [{ store: 'a', error: 'a is away' }]);
  requireAny(tried);
  const none = await inEachStore(opened, signal, failing(['a', 'b']));
  assert.throws(() => requireAny(none), { message: 'a is away' });
  await assert.rejects(
    inEachStore(opened, signal, async () => {
      throw new TypeError('a fault');
    }),
    TypeError,
  );
});
