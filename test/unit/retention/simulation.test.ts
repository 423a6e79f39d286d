/** A month of backups, and more than a year, with a clock of the test's own; what is left is compared day by day. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Retention } from '../../../domain/configuration/stores.ts';
import type { Proof } from '../../../domain/format/manifest.ts';
import { backupIdOf } from '../../../domain/format/keys.ts';
import { decideRetention, type RetentionCandidate } from '../../../domain/retention/decide.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LOCAL: Retention = { keepLast: 28 };
const OFFSITE: Retention = { keepWithin: '30d', keepMonthly: 12, atLeast: 4 };

/**
 * Takes a backup at 00:00, 06:00, 12:00 and 18:00 of every day and prunes at 18:30.
 * @param check called after each day's prune with what is left, oldest first
 */
function simulate(
  rules: Retention,
  first: Date,
  days: number,
  check: (day: number, now: Date, left: string[]) => void,
  proofOf: (time: Date) => Proof = () => 'readBack',
  taken: (day: number) => boolean = () => true,
): void {
  let store: RetentionCandidate[] = [];
  for (let day = 0; day < days; day += 1) {
    for (let hour = 0; hour < 24 && taken(day); hour += 6) {
      const time = new Date(first.getTime() + day * DAY_MS + hour * HOUR_MS);
      store.push({
        backup: backupIdOf(time),
        nodeAddress: `10.129.122.${15 + (hour % 4)}`,
        takenAt: time.toISOString(),
        state: 'complete',
        proof: proofOf(time),
        pinned: false,
        bytes: 100,
      });
    }
    const now = new Date(first.getTime() + day * DAY_MS + 18.5 * HOUR_MS);
    const { kept } = decideRetention(store, rules, { now, includeForeign: false });
    store = kept.map(({ backup }) => backup);
    check(day, now, store.map(({ takenAt }) => takenAt.slice(0, 13)).toSorted());
  }
}

/** The names of all times from `from` to `to`, six hours apart; both ends belong to it. */
function everySixHours(from: number, to: number): string[] {
  const times: string[] = [];
  for (let time = from; time <= to; time += 6 * HOUR_MS) times.push(new Date(time).toISOString().slice(0, 13));
  return times;
}

/** 18:00 on the last day of each month that ended before `before`, from the month of `first` on. */
function endsOfMonths(first: Date, before: number): string[] {
  const ends: string[] = [];
  for (let month = 1; ; month += 1) {
    const end = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month, 0, 18);
    if (end >= before) return ends;
    ends.push(new Date(end).toISOString().slice(0, 13));
  }
}

suite('31 days of backups every 6 hours, pruned every day', () => {
  const first = new Date('2026-11-10T00:00:00Z');

  test('keepLast 28: a week of backups, and never another', () => {
    simulate(LOCAL, first, 31, (day, _now, left) => {
      const last = first.getTime() + day * DAY_MS + 18 * HOUR_MS;
      const oldest = Math.max(first.getTime(), last - 27 * 6 * HOUR_MS);
      assert.deepEqual(left, everySixHours(oldest, last), `day ${day + 1}`);
      assert.equal(left.length, Math.min(28, (day + 1) * 4));
    });
  });

  test('keepWithin 30d, keepMonthly 12, atLeast 4: everything, until the first day is 30 days old', () => {
    simulate(OFFSITE, first, 31, (day, _now, left) => {
      const last = first.getTime() + day * DAY_MS + 18 * HOUR_MS;
      // At 18:30 of the 31st day the four backups of the first day are older than 30 days.
      const oldest = day === 30 ? Date.UTC(2026, 10, 10, 18) + 6 * HOUR_MS : first.getTime();
      assert.deepEqual(left, everySixHours(oldest, last), `day ${day + 1}`);
      assert.equal(left.length, day === 30 ? 120 : (day + 1) * 4);
    });
  });

  test('the drill of each Sunday keeps the last proven one in the store of 28 when drills stop', () => {
    // Proven: 18:00 of Sunday, 15 November; none after it.
    const proven = '2026-11-15T18';
    simulate(
      LOCAL,
      first,
      31,
      (day, _now, left) => {
        const last = first.getTime() + day * DAY_MS + 18 * HOUR_MS;
        const newest = everySixHours(Math.max(first.getTime(), last - 27 * 6 * HOUR_MS), last);
        const expected = day >= 5 && !newest.includes(proven) ? [proven, ...newest] : newest;
        assert.deepEqual(left, expected, `day ${day + 1}`);
      },
      (time) => (time.toISOString().startsWith(proven) ? 'restored' : 'readBack'),
    );
  });
});

suite('500 days of backups every 6 hours, pruned every day', () => {
  const first = new Date('2026-01-15T00:00:00Z');

  test('keepWithin 30d, keepMonthly 12, atLeast 4: 30 days, and the end of each of twelve months', () => {
    simulate(OFFSITE, first, 500, (day, now, left) => {
      const last = first.getTime() + day * DAY_MS + 18 * HOUR_MS;
      const withinFrom = Math.max(first.getTime(), now.getTime() - 30 * DAY_MS + 5.5 * HOUR_MS);
      const within = everySixHours(withinFrom, last);
      // The current month is the first of the twelve; its newest backup is within 30 days anyway.
      const ends = endsOfMonths(first, Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)).slice(-11);
      assert.deepEqual(left, [...new Set([...ends, ...within])].toSorted(), `day ${day + 1}`);
    });
  });

  test('backups that stop after a month: the four newest and the monthly ones stay for good', () => {
    let atTheEnd: string[] = [];
    simulate(
      OFFSITE,
      first,
      500,
      (_day, _now, left) => {
        atTheEnd = left;
      },
      undefined,
      (day) => day < 30,
    );
    assert.deepEqual(atTheEnd, ['2026-01-31T18', '2026-02-13T00', '2026-02-13T06', '2026-02-13T12', '2026-02-13T18']);
  });
});
