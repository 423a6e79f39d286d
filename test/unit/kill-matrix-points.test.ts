import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointsOf } from '../support/matrix/points.ts';

test('where a restore is hit does not hang on which node was the quickest', () => {
  const nodes = ['n1', 'n2', 'n3'];
  const callsIn = (order: readonly string[]) =>
    ['stopApiServer', 'stopEtcd', 'startEtcd'].flatMap((activity) =>
      order.map((place) => ({ activity, place, durationMs: 1_000 })),
    );
  const points = pointsOf(callsIn(nodes));
  assert.deepEqual(
    points.filter(({ phase }) => phase === 'before').map(({ activity, place }) => `${activity} ${place}`),
    ['stopApiServer n1', 'stopEtcd n2', 'startEtcd n3'],
  );
  assert.deepEqual(pointsOf(callsIn(nodes.toReversed())), points);
});
