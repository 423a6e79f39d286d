import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Retention } from '../../../domain/configuration/stores.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { backupIdOf } from '../../../domain/format/keys.ts';
import { decideRetention, type RetentionCandidate, type RetentionOptions } from '../../../domain/retention/decide.ts';
import { periodOf } from '../../../domain/retention/buckets.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

function backup(takenAt: string, more: Partial<RetentionCandidate> = {}): RetentionCandidate {
  const time = new Date(takenAt.includes('T') ? `${takenAt}:00Z` : `${takenAt}T00:00:00Z`);
  return {
    backup: backupIdOf(time),
    nodeAddress: '10.0.0.1',
    takenAt: time.toISOString(),
    state: 'complete',
    proof: 'readBack',
    pinned: false,
    bytes: 10,
    ...more,
  };
}

/** The times that are kept, newest first, as they were given to {@link backup}. */
function keptOf(backups: RetentionCandidate[], rules: Retention, options: Partial<RetentionOptions> = {}): string[] {
  const { kept } = decideRetention(backups, rules, { now: NOW, includeForeign: false, ...options });
  return kept.map((verdict) => verdict.backup.takenAt.replace(':00.000Z', '').replace('T00:00', ''));
}

function reasonsOf(
  backups: RetentionCandidate[],
  rules: Retention,
  options: Partial<RetentionOptions> = {},
): Record<string, string> {
  const { kept, removed } = decideRetention(backups, rules, { now: NOW, includeForeign: false, ...options });
  return Object.fromEntries(
    [...kept, ...removed].map(({ backup: { takenAt }, reason }) => [takenAt.slice(0, 10), reason]),
  );
}

suite('each rule', () => {
  const table: { rule: string; rules: Retention; taken: string[]; kept: string[]; now?: Date }[] = [
    {
      rule: 'without any rule everything is kept',
      rules: {},
      taken: ['2026-11-22', '2020-01-01', '1999-01-01'],
      kept: ['2026-11-22', '2020-01-01', '1999-01-01'],
    },
    {
      rule: 'atLeast alone is a floor, and removes nothing',
      rules: { atLeast: 1 },
      taken: ['2026-11-22', '2026-11-21', '2026-11-20'],
      kept: ['2026-11-22', '2026-11-21', '2026-11-20'],
    },
    {
      rule: 'keepLast keeps the newest N',
      rules: { keepLast: 2 },
      taken: ['2026-11-22', '2026-11-21', '2026-11-20'],
      kept: ['2026-11-22', '2026-11-21'],
    },
    {
      rule: 'keepWithin keeps what is exactly as old as it says, and nothing older',
      rules: { keepWithin: '2d' },
      taken: ['2026-11-23', '2026-11-21T12:00', '2026-11-21T11:59'],
      kept: ['2026-11-23', '2026-11-21T12:00'],
    },
    {
      rule: 'keepHourly keeps the newest of each hour',
      rules: { keepHourly: 2 },
      taken: ['2026-11-23T10:59', '2026-11-23T10:00', '2026-11-23T07:30', '2026-11-23T07:29', '2026-11-23T06:00'],
      kept: ['2026-11-23T10:59', '2026-11-23T07:30'],
    },
    {
      rule: 'keepDaily counts days that have a backup, and leaves out those without',
      rules: { keepDaily: 3 },
      taken: ['2026-11-23T06:00', '2026-11-23T01:00', '2026-11-20T23:59', '2026-11-20', '2026-10-01', '2026-09-01'],
      kept: ['2026-11-23T06:00', '2026-11-20T23:59', '2026-10-01'],
    },
    {
      rule: 'keepWeekly keeps the newest of each week, which begins on Monday',
      rules: { keepWeekly: 2 },
      // 2026-11-23 is a Monday.
      taken: ['2026-11-23', '2026-11-22', '2026-11-16', '2026-11-15'],
      kept: ['2026-11-23', '2026-11-22'],
    },
    {
      rule: 'keepWeekly takes the days around New Year for one week',
      now: new Date('2027-01-04T00:00:00Z'),
      rules: { keepWeekly: 2 },
      taken: ['2027-01-03', '2026-12-31', '2026-12-28', '2026-12-27'],
      kept: ['2027-01-03', '2026-12-27'],
    },
    {
      rule: 'keepMonthly keeps the newest of each month',
      rules: { keepMonthly: 2 },
      taken: ['2026-11-01', '2026-10-31', '2026-10-01', '2026-09-30'],
      kept: ['2026-11-01', '2026-10-31'],
    },
    {
      rule: 'keepYearly keeps the newest of each year',
      rules: { keepYearly: 2 },
      taken: ['2026-02-01', '2026-01-01', '2025-12-31', '2024-12-31'],
      kept: ['2026-02-01', '2025-12-31'],
    },
    {
      rule: 'a backup is kept when one of several rules keeps it',
      rules: { keepLast: 1, keepMonthly: 3 },
      taken: ['2026-11-22', '2026-11-21', '2026-10-20', '2026-10-19', '2026-09-18'],
      kept: ['2026-11-22', '2026-10-20', '2026-09-18'],
    },
    {
      rule: 'atLeast keeps the newest although every other rule gave them up',
      rules: { keepWithin: '1d', atLeast: 3 },
      taken: ['2026-03-04', '2026-03-03', '2026-03-02', '2026-03-01'],
      kept: ['2026-03-04', '2026-03-03', '2026-03-02'],
    },
    {
      rule: 'maxBytes alone removes the oldest until the rest fits',
      rules: { maxBytes: 25 },
      taken: ['2026-11-22', '2026-11-21', '2026-11-20', '2026-11-19'],
      kept: ['2026-11-22', '2026-11-21'],
    },
    {
      rule: 'maxBytes never goes below atLeast',
      rules: { maxBytes: 5, atLeast: 3 },
      taken: ['2026-11-22', '2026-11-21', '2026-11-20', '2026-11-19'],
      kept: ['2026-11-22', '2026-11-21', '2026-11-20'],
    },
    {
      rule: 'maxBytes never takes the last backup, however big it is',
      rules: { maxBytes: 1 },
      taken: ['2026-11-22'],
      kept: ['2026-11-22'],
    },
  ];
  for (const { rule, rules, taken, kept, now = NOW } of table) {
    test(rule, () => {
      const backups = taken.map((time) => backup(time));
      assert.deepEqual(keptOf(backups, rules, { now }), kept);
      assert.deepEqual(keptOf(backups.toReversed(), rules, { now }), kept, 'the order of the input plays a part');
    });
  }

  test('the week is that of ISO 8601, also in years with 53 weeks', () => {
    const weeks = ['2024-12-30', '2025-12-28', '2026-12-31', '2027-01-03', '2027-01-04'].map((day) =>
      periodOf('keepWeekly', Date.parse(day)),
    );
    assert.deepEqual(weeks, ['2025-W01', '2025-W52', '2026-W53', '2026-W53', '2027-W01']);
  });
});

suite('what stays whatever the rules say', () => {
  test('the last restored one and the best proven one stay when only unproven ones are newer', () => {
    const backups = [
      backup('2026-11-22'),
      backup('2026-11-21', { proof: 'hashed' }),
      backup('2026-11-20', { proof: 'restored' }),
      backup('2026-11-19', { proof: 'restored' }),
      backup('2026-11-18', { proof: 'served' }),
      backup('2026-11-17', { proof: 'served' }),
    ];
    assert.deepEqual(reasonsOf(backups, { keepLast: 1, maxBytes: 1 }), {
      '2026-11-22': 'newest good backup',
      '2026-11-20': 'last proven backup: restored',
      '2026-11-18': 'best proven backup: served',
      '2026-11-21': 'older than every rule keeps',
      '2026-11-19': 'older than every rule keeps',
      '2026-11-17': 'older than every rule keeps',
    });
  });

  test('while nothing was ever restored, the newest of the best proof stays', () => {
    const backups = [
      backup('2026-11-22', { proof: 'written' }),
      backup('2026-11-21', { proof: 'written' }),
      backup('2026-11-20', { proof: 'hashed' }),
      backup('2026-11-19', { proof: 'hashed' }),
    ];
    assert.deepEqual(keptOf(backups, { keepLast: 1 }), ['2026-11-22', '2026-11-20']);
  });

  test('a proven backup that has broken since doesn’t count as the proven one', () => {
    const backups = [
      backup('2026-11-22'),
      backup('2026-11-21', { proof: 'served', state: 'broken' }),
      backup('2026-11-20', { proof: 'restored' }),
    ];
    assert.deepEqual(keptOf(backups, { keepLast: 1 }), ['2026-11-22', '2026-11-20']);
  });

  test('pinned and locked ones stay, and say so', () => {
    const backups = [
      backup('2026-11-22'),
      backup('2025-01-03', { pinned: true, locked: true }),
      backup('2025-01-02', { locked: true }),
      backup('2025-01-01', { pinned: true, state: 'broken' }),
    ];
    assert.deepEqual(reasonsOf(backups, { keepLast: 1, maxBytes: 1 }), {
      '2026-11-22': 'newest good backup',
      '2025-01-03': 'pinned',
      '2025-01-02': 'locked by the store',
      '2025-01-01': 'pinned',
    });
  });

  test('a hold keeps everything, and its reason stands at every backup', () => {
    const backups = [backup('2026-11-22'), backup('2020-01-01'), backup('2019-01-01', { state: 'broken' })];
    const hold = 'the members of prod disagree: pruning waits';
    assert.deepEqual(new Set(Object.values(reasonsOf(backups, { keepLast: 1 }, { hold }))), new Set([hold]));
    assert.equal(keptOf(backups, { keepLast: 1 }, { hold }).length, 3);
  });

  test('a time that can’t be read stops the whole decision rather than removing something', () => {
    assert.throws(
      () => keptOf([{ ...backup('2026-11-22'), takenAt: 'yesterday' }], { keepLast: 1 }),
      (error) => error instanceof SalvorError && error.type === 'InvalidInput' && error.message.includes('yesterday'),
    );
  });
});

suite('backups that aren’t good', () => {
  test('degraded ones count as good ones', () => {
    const backups = [backup('2026-11-22', { state: 'degraded' }), backup('2026-11-21'), backup('2026-11-20')];
    assert.deepEqual(keptOf(backups, { keepLast: 2 }), ['2026-11-22', '2026-11-21']);
  });

  test('broken ones aren’t counted: a week of them costs no good backup', () => {
    const good = ['2026-11-10', '2026-11-09', '2026-11-08'].map((time) => backup(time));
    const broken = ['2026-11-22', '2026-11-20', '2026-11-18'].map((time) => backup(time, { state: 'broken' }));
    const verdicts = reasonsOf([...good, ...broken], { keepLast: 2, atLeast: 2 });
    assert.deepEqual(verdicts, {
      '2026-11-22': 'broken: kept until there is a newer good backup',
      '2026-11-20': 'broken: kept until there is a newer good backup',
      '2026-11-18': 'broken: kept until there is a newer good backup',
      '2026-11-10': 'newest good backup',
      '2026-11-09': 'kept by atLeast 2',
      '2026-11-08': 'older than every rule keeps',
    });
  });

  test('a broken one goes when a newer good one exists and no rule would keep it', () => {
    const backups = [backup('2026-11-22'), backup('2026-11-21', { state: 'broken' }), backup('2026-11-20')];
    assert.deepEqual(keptOf(backups, { keepLast: 1 }), ['2026-11-22']);
    assert.deepEqual(reasonsOf(backups, { keepLast: 2 }), {
      '2026-11-22': 'newest good backup',
      '2026-11-21': 'broken, kept by keepLast: 2 of 2',
      '2026-11-20': 'kept by keepLast: 2 of 2',
    });
  });

  test('foreign ones stay until they are asked for, and don’t count against maxBytes', () => {
    const foreign = ['2026-11-21', '2020-01-01'].map((time) =>
      backup(time, { state: 'foreign', proof: null, bytes: 1_000 }),
    );
    const backups = [backup('2026-11-22'), backup('2026-11-20'), ...foreign];
    assert.deepEqual(reasonsOf(backups, { maxBytes: 20 }), {
      '2026-11-22': 'newest good backup',
      '2026-11-21': 'foreign: pruned only when asked',
      '2026-11-20': 'within maxBytes',
      '2020-01-01': 'foreign: pruned only when asked',
    });
  });

  test('asked for, foreign ones follow the rules and never take the place of a good one', () => {
    const backups = [
      backup('2026-11-22T06:00'),
      backup('2026-11-21T18:00', { state: 'foreign', proof: null }),
      backup('2026-11-21T12:00', { state: 'foreign', proof: null }),
      backup('2026-11-21T06:00'),
      backup('2026-11-20T06:00', { state: 'foreign', proof: null }),
    ];
    assert.deepEqual(keptOf(backups, { keepDaily: 2 }, { includeForeign: true }), [
      '2026-11-22T06:00',
      '2026-11-21T18:00',
      '2026-11-21T06:00',
    ]);
  });

  test('with foreign ones only, nothing is removed: there is no good backup yet', () => {
    const backups = ['2026-11-21', '2020-01-01'].map((time) => backup(time, { state: 'foreign', proof: null }));
    assert.equal(keptOf(backups, { keepLast: 1 }, { includeForeign: true }).length, 2);
  });

  test('backups of one cluster belong together whichever node they come from', () => {
    const backups = ['2026-11-22', '2026-11-21', '2026-11-20', '2026-11-19'].map((time, index) =>
      backup(time, { nodeAddress: `10.0.0.${index % 2}` }),
    );
    assert.deepEqual(keptOf(backups, { keepLast: 2 }), ['2026-11-22', '2026-11-21']);
  });
});
