import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { findPromtool } from '../support/promtool.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');

let folder: string;
const promtool = await findPromtool();
const skip = promtool.missing ?? false;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-rules-'));
});
after(async () => await rm(folder, { recursive: true, force: true }));

/** Its output; one that finds a fault ends in an error that carries it. */
async function check(args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(promtool.path ?? '', args);
  return stdout + stderr;
}

test('Prometheus takes the alert rules', { skip }, async () => {
  assert.match(await check(['check', 'rules', join(DEPLOY, 'prometheus/alerts.yaml')]), /SUCCESS: \d+ rules found/);
});

test('the rules alert when they should, and only then', { skip, timeout: 300_000 }, async () => {
  for (const file of ['alerts.test.yaml', 'alerts-of-days.test.yaml']) {
    assert.match(await check(['test', 'rules', join(DEPLOY, 'prometheus', file)]), /SUCCESS/);
  }
});

test('Prometheus takes every query of the dashboard', { skip }, async () => {
  const dashboard = JSON.parse(await readFile(join(DEPLOY, 'grafana/salvor.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length >= 10);
  const rules = queries.map((expr, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$cluster', 'prod'),
  }));
  const file = join(folder, 'dashboard.yaml');
  await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
  assert.match(await check(['check', 'rules', file]), new RegExp(`SUCCESS: ${queries.length} rules found`));
});
