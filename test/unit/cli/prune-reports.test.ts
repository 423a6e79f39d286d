import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitStatusOf, renderReport } from '../../../cli/reports.ts';
import type { Look } from '../../../cli/render/format.ts';
import type { HealReport } from '../../../domain/operations/heal.ts';
import type { PruneReport } from '../../../domain/operations/prune.ts';

const look: Look = { color: false, now: new Date('2026-11-23T07:00:00Z'), timeZone: 'UTC', columns: 120 };

const prune: PruneReport = {
  cluster: 'prod',
  dryRun: false,
  hold: null,
  stores: [
    {
      store: 'local',
      kept: [{ backup: '20261123-060000', reason: 'newest good backup' }],
      removed: [{ backup: '20261122-060000', reason: 'no rule keeps it' }],
      orphans: [{ key: 'prod/10.0.0.1/snapshot-20261101-000000.db.zst', bytes: 2_048 }],
    },
  ],
};

describe('the report of a prune', () => {
  it('gives the reason for each backup, and what it did or would do', () => {
    assert.equal(
      renderReport('prune', prune, look),
      `Pruned prod: 1 copy of backups removed

STORE  BACKUP (UTC)              REASON
local  20261123-060000  kept     newest good backup
local  20261122-060000  removed  no rule keeps it
local: 1 object without a backup, 2.0 KiB removed`,
    );
    const dry = renderReport('prune', { ...prune, dryRun: true }, look);
    assert.match(dry, /^prod: 1 copy of backups would be removed/);
    assert.match(dry, /20261122-060000 {2}would go/);
    assert.match(dry, /2\.0 KiB would be removed$/);
    assert.equal(exitStatusOf('prune', prune), 0);
  });

  it('is a failure when a store failed, and waits for a person when members disagree', () => {
    const failed = { ...prune, stores: [{ store: 'offsite', kept: [], removed: [], orphans: [], error: 'refused' }] };
    assert.match(renderReport('prune', failed, look), /^! store "offsite" was not pruned: refused/);
    assert.equal(exitStatusOf('prune', failed), 1);
    const held = { ...prune, hold: 'the members hold different keys', stores: [] };
    assert.match(renderReport('prune', held, look), /^! the members hold different keys/);
    assert.equal(exitStatusOf('prune', held), 3);
  });
});

describe('the report of a prune of thousands', () => {
  const many: PruneReport = {
    ...prune,
    stores: prune.stores.map((store) => ({ ...store, more: { kept: 5_000, removed: 4_000, orphans: 0 } })),
  };

  it('says what it leaves out, and waits for the next prune while something is left to remove', () => {
    assert.match(
      renderReport('prune', many, look),
      /\nlocal: 5000 older ones also kept\n! local: 4000 backups more to remove than fit into one report; run prune again$/,
    );
    assert.equal(exitStatusOf('prune', many), 3);
    assert.equal(exitStatusOf('prune', { ...many, dryRun: true }), 0);
    const keptOnly = {
      ...many,
      stores: prune.stores.map((store) => ({ ...store, more: { kept: 1, removed: 0, orphans: 0 } })),
    };
    assert.equal(exitStatusOf('prune', keptOnly), 0);
  });
});

describe('the report of a pin', () => {
  it('says what it means and where it lies', () => {
    const pin = { cluster: 'prod', backup: '20261123-060000', pinned: true, stores: ['local', 'offsite'] };
    assert.equal(
      renderReport('pin', pin, look),
      'Backup 20261123-060000 of prod is pinned and will not be pruned (local, offsite)',
    );
    assert.match(renderReport('pin', { ...pin, pinned: false }, look), /is no longer pinned/);
    assert.equal(exitStatusOf('pin', pin), 0);
  });
});

describe('the report of a heal', () => {
  const nothing: HealReport = { cluster: 'prod', healed: [], failed: [], more: 0, unreadable: [] };
  const copy = { backup: '20261123-060000', key: 'prod/10.0.0.1/snapshot-20261123-060000.db.zst', to: 'offsite' };

  it('lists what was copied from where to where', () => {
    const healed = { ...nothing, healed: [{ ...copy, from: 'local', bytes: 2_048 }] };
    assert.match(renderReport('heal', healed, look), /20261123-060000 {2}local {2}offsite {2}2\.0 KiB {2}prod\/10/);
    assert.equal(exitStatusOf('heal', healed), 0);
    assert.equal(renderReport('heal', nothing, look), 'prod: no store lacks a copy');
  });

  it('is no success when a copy is still missing, a store could not be read, or some are left', () => {
    const failed = { ...nothing, failed: [{ ...copy, error: 'no other store has it right' }] };
    assert.match(renderReport('heal', failed, look), /"offsite" still lacks .*: no other store has it right/);
    assert.equal(exitStatusOf('heal', failed), 1);
    const blind = { ...nothing, unreadable: [{ store: 'offsite', error: 'refused' }] };
    assert.match(
      renderReport('heal', blind, look),
      /its missing copies are unknown: refused\nprod: nothing was copied/,
    );
    assert.equal(exitStatusOf('heal', blind), 3);
    assert.equal(exitStatusOf('heal', { ...nothing, more: 3 }), 3);
    assert.match(renderReport('heal', { ...nothing, more: 3 }, look), /3 copies are still missing; run heal again/);
  });
});
