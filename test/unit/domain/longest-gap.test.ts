import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestGapMs } from '../../../domain/schedule/longest-gap.ts';
import { scheduleTimes } from '../../../domain/schedule/times.ts';

const HOUR_MS = 3_600_000;

for (const [what, rule, hours] of [
  ['an interval', { every: '6h' }, 6],
  ['a window by night: the day between two', { every: '2h', window: '22:00-04:00 Asia/Shanghai' }, 20],
  ['a window with a single time', { every: '1d', window: '01:00-02:00' }, 24],
  ['cron of every minute', { cron: '* * * * *' }, 1 / 60],
  ['cron at odd hours', { cron: '0 1,7,9 * * *' }, 16],
  ['cron on Sundays', { cron: '0 3 * * 0' }, 168],
  ['cron on working days: the weekend', { cron: '0 3 * * mon-fri' }, 72],
  ['cron on the 31st: over a month of 30 days', { cron: '0 0 31 * *' }, 61 * 24],
  ['cron on 29 February', { cron: '0 0 29 2 *' }, 1461 * 24],
] as const) {
  test(`the longest time between two runs of ${what}`, () => {
    assert.equal(longestGapMs(scheduleTimes(rule)) / HOUR_MS, hours);
  });
}
