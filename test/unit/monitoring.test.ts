/** What the dashboard and the alert rules ask for is what workers serve, and the documentation tells of all of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { OPERATION_DURATION, OPERATION_FAILURES, STORE_GAUGES } from '../../domain/metrics.ts';

const ROOT = join(import.meta.dirname, '../..');
const FAILURES = `${OPERATION_FAILURES}_total`;
const SERVED = [
  ...Object.keys(STORE_GAUGES),
  ...['bucket', 'count', 'sum'].map((suffix) => `${OPERATION_DURATION}_${suffix}`),
  FAILURES,
];

async function read(file: string): Promise<string> {
  return await readFile(join(ROOT, file), 'utf8');
}

for (const file of ['deploy/grafana/salvor.json', 'deploy/prometheus/alerts.yaml']) {
  test(`${file} asks only for metrics that a worker serves`, async () => {
    const asked = new Set([...(await read(file)).matchAll(/\bsalvor_\w+/g)].map(([name]) => name));
    assert.ok(asked.size > 5);
    assert.deepEqual(
      [...asked].filter((name) => !SERVED.includes(name)),
      [],
    );
  });
}

test('the documentation tells of every metric and every alert', async () => {
  const page = await read('docs/how-to/metrics.md');
  const { groups } = parse(await read('deploy/prometheus/alerts.yaml')) as { groups: { rules: { alert: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const told = [...Object.keys(STORE_GAUGES), OPERATION_DURATION, FAILURES, ...alerts];
  assert.deepEqual(
    told.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});

test('no two panels of the dashboard lie on each other', async () => {
  const { panels } = JSON.parse(await read('deploy/grafana/salvor.json')) as {
    panels: { title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.equal(taken.get(`${x} ${y}`), undefined, title);
        taken.set(`${x} ${y}`, title);
      }
    }
  }
});
