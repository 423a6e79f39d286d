import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { configurationSchema } from '../../domain/configuration/schema.ts';
import { parseScheduleId, scheduleIdOf, wantedSchedules } from '../../domain/scheduled.ts';
import { ScheduleProblem, type ScheduleRule } from '../../domain/schedule/problem.ts';
import { scheduleTimes } from '../../domain/schedule/times.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The times of day of a schedule, as in `06:30`. */
function timesOfDay(rule: ScheduleRule): string[] {
  const two = (value: number) => String(value).padStart(2, '0');
  const times = scheduleTimes(rule).calendars.flatMap(({ hours, minutes }) =>
    hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}`)),
  );
  assert.equal(new Set(times).size, times.length, 'a time stands in two calendars');
  return times.toSorted();
}

function problemOf(rule: ScheduleRule): string {
  try {
    scheduleTimes(rule);
  } catch (error) {
    if (error instanceof ScheduleProblem) return `${error.field}: ${error.message}`;
    throw error;
  }
  return 'no problem';
}

suite('every', () => {
  test('without a window it counts in UTC, and makes up for what was missed within one interval', () => {
    assert.deepEqual(scheduleTimes({ every: '6h', jitter: '10m' }), {
      calendars: [],
      everyMs: 6 * HOUR_MS,
      jitterMs: 600_000,
      timeZone: 'UTC',
      catchupMs: 6 * HOUR_MS,
      description: 'every 6h',
    });
  });

  const windows: { every: string; window: string; times: string[] }[] = [
    { every: '6h', window: '00:00-06:00', times: ['00:00'] },
    { every: '2h', window: '00:00-06:00', times: ['00:00', '02:00', '04:00'] },
    { every: '6h', window: '00:00-06:01', times: ['00:00', '06:00'] },
    { every: '4h', window: '22:00-06:00', times: ['02:00', '22:00'] },
    { every: '1d', window: '03:30-05:00', times: ['03:30'] },
    { every: '40m', window: '23:00-01:00', times: ['00:20', '23:00', '23:40'] },
    { every: '6h', window: '12:00-11:59', times: ['00:00', '06:00', '12:00', '18:00'] },
  ];
  for (const { every, window, times } of windows) {
    test(`every ${every} within ${window} is ${times.join(', ')}`, () => {
      assert.deepEqual(timesOfDay({ every, window }), times);
    });
  }

  test('hours with the same minutes share one calendar', () => {
    const { calendars } = scheduleTimes({ every: '30m', window: '00:00-06:00' });
    assert.deepEqual(calendars, [{ minutes: [0, 30], hours: [0, 1, 2, 3, 4, 5] }]);
  });

  test('the window’s time zone is that of its times', () => {
    assert.equal(scheduleTimes({ every: '6h', window: '00:00-06:00 Asia/Shanghai' }).timeZone, 'Asia/Shanghai');
    assert.equal(scheduleTimes({ every: '6h', window: '00:00-06:00', timeZone: 'Asia/Tokyo' }).timeZone, 'Asia/Tokyo');
    assert.equal(scheduleTimes({ every: '6h', window: '00:00-06:00' }).timeZone, 'UTC');
  });

  test('a run that was missed isn’t made up for after its window', () => {
    assert.equal(scheduleTimes({ every: '4h', window: '00:00-06:00' }).catchupMs, 2 * HOUR_MS);
    assert.equal(scheduleTimes({ every: '4h', window: '00:00-06:00', jitter: '30m' }).catchupMs, 1.5 * HOUR_MS);
    assert.equal(scheduleTimes({ every: '1h', window: '00:00-06:00' }).catchupMs, HOUR_MS);
  });

  test('every run, moved by jitter or made up for, begins within its window', () => {
    const dividesDay = fc.constantFrom('1m', '5m', '30m', '40m', '1h', '90m', '2h', '6h', '1d');
    const minute = fc.integer({ min: 0, max: 1_439 });
    fc.assert(
      fc.property(dividesDay, minute, minute, fc.nat(120), (every, start, end, jitter) => {
        fc.pre(start !== end);
        const clock = (value: number) =>
          `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`;
        const rule = { every, window: `${clock(start)}-${clock(end)}`, jitter: `${jitter}m` };
        fc.pre(problemOf(rule) === 'no problem');
        const length = (end - start + 1_440) % 1_440;
        const times = timesOfDay(rule);
        assert.ok(times.includes(clock(start)), 'the window’s start is missing');
        for (const time of times) {
          const [hour = 0, minute = 0] = time.split(':').map(Number);
          const sinceStart = (hour * 60 + minute - start + 1_440) % 1_440;
          assert.ok(
            sinceStart + jitter + scheduleTimes(rule).catchupMs / 60_000 <= length,
            `${time} in ${rule.window}`,
          );
        }
      }),
    );
  });
});

suite('cron', () => {
  test('its fields become one calendar in the time zone', () => {
    const { calendars, timeZone, catchupMs } = scheduleTimes({ cron: '0 3 * * 0', timeZone: 'Asia/Shanghai' });
    assert.deepEqual(calendars, [{ minutes: [0], hours: [3], daysOfWeek: [0] }]);
    assert.equal(timeZone, 'Asia/Shanghai');
    assert.equal(catchupMs, 7 * DAY_MS);
  });

  test('lists, ranges, steps and names are read as crontab reads them', () => {
    assert.deepEqual(scheduleTimes({ cron: '*/20,5 1-5/2,22 * JAN-mar,12 Mon-fri,7' }).calendars, [
      { minutes: [0, 5, 20, 40], hours: [1, 3, 5, 22], months: [1, 2, 3, 12], daysOfWeek: [0, 1, 2, 3, 4, 5] },
    ]);
    assert.deepEqual(scheduleTimes({ cron: '50/5 0 * * *' }).calendars[0]?.minutes, [50, 55]);
  });

  test('a day of the month and a day of the week together mean either', () => {
    assert.deepEqual(scheduleTimes({ cron: '30 4 1,15 * 5' }).calendars, [
      { minutes: [30], hours: [4], daysOfMonth: [1, 15] },
      { minutes: [30], hours: [4], daysOfWeek: [5] },
    ]);
    assert.deepEqual(scheduleTimes({ cron: '30 4 */2 * 5' }).calendars.length, 1);
  });

  const intervals: [string, number][] = [
    ['* * * * *', 60_000],
    ['0 */6 * * *', 6 * HOUR_MS],
    ['0 0,22 * * *', 2 * HOUR_MS],
    ['15 3 * * *', DAY_MS],
    ['0 3 * * 1,4', 3 * DAY_MS],
    ['0 0 1 * *', 28 * DAY_MS],
    ['0 0 29 2 *', 1461 * DAY_MS],
  ];
  for (const [cron, intervalMs] of intervals) {
    test(`what "${cron}" missed is made up for within its shortest interval`, () => {
      assert.equal(scheduleTimes({ cron }).catchupMs, intervalMs);
    });
  }
});

suite('what can’t be scheduled is refused, at the field to correct', () => {
  const table: [ScheduleRule, RegExp][] = [
    [{ every: '0s' }, /^every: expected more than 0$/],
    [{ every: '7h', window: '00:00-06:00' }, /^every: with a window, expected whole minutes that divide a day/],
    [{ every: '2d', window: '00:00-06:00' }, /^every: with a window/],
    [{ every: '30s', window: '00:00-06:00' }, /^every: with a window/],
    [{ every: '1h', window: '06:00-06:00' }, /^window: starts and ends at the same time/],
    [{ every: '1h', window: '00:00-06:00', jitter: '1h' }, /^jitter: would move the last run out of the window/],
    [{ every: '1h', timeZone: 'Asia/Shanghai' }, /^timeZone: "every" without a window counts in UTC/],
    [
      { every: '1h', window: '00:00-06:00 Asia/Tokyo', timeZone: 'Asia/Seoul' },
      /^timeZone: differs from the time zone of the window/,
    ],
    [{ every: '1h', window: '00:00-06:00 +08:00' }, /^window: expected the name of a time zone/],
    [{ cron: '0 3 * * 0', timeZone: 'asia/shanghai' }, /^timeZone: expected the name of a time zone/],
    [{ cron: '0 3 * * 0', window: '00:00-06:00' }, /^window: belongs to "every"/],
    [{ cron: '60 3 * * 0' }, /^cron: the minute: expected 0 to 59/],
    [{ cron: '0 24 * * 0' }, /^cron: the hour: expected 0 to 23/],
    [{ cron: '0 3 0 * *' }, /^cron: the day of the month: expected 1 to 31/],
    [{ cron: '0 3 * 13 *' }, /^cron: the month: expected 1 to 12 or jan to dec/],
    [{ cron: '0 3 * * 8' }, /^cron: the day of the week: expected 0 to 7 or sun to sat/],
    [{ cron: '0 3 * * fri-mon' }, /^cron: the day of the week/],
    [{ cron: '*/0 3 * * *' }, /^cron: the minute/],
    [{ cron: '1//2 3 * * *' }, /^cron: the minute/],
    [{ cron: '1,,2 3 * * *' }, /^cron: the minute/],
    [{ cron: '-5 3 * * *' }, /^cron: the minute/],
    [{ cron: '1e1 3 * * *' }, /^cron: the minute/],
    [{ cron: '0 0 31 2 *' }, /^cron: no day ever matches/],
    [{ cron: '0 3 * *' }, /^cron: expected five fields/],
  ];
  for (const [rule, message] of table) {
    test(JSON.stringify(rule), () => assert.match(problemOf(rule), message));
  }

  test('the configuration names the field, once', () => {
    const result = configurationSchema.safeParse(configuration({ backup: { every: '7h', window: '00:00-06:00' } }));
    assert.deepEqual(
      result.error?.issues.map(({ path }) => path.join('.')),
      ['clusters.prod.schedules.backup.every'],
    );
  });
});

function configuration(schedules: object): object {
  return {
    stores: { local: { type: 'filesystem', path: '/data' } },
    clusters: {
      prod: { flavour: 'kubeadm', stores: ['local'], schedules, nodes: [{ name: 'm1', address: '10.0.0.1' }] },
    },
  };
}

suite('the schedules of a configuration', () => {
  test('each operation that has times gets one, for the workers’ queue', () => {
    const parsed = configurationSchema.parse(configuration({ backup: { every: '6h' }, verify: { cron: '0 3 * * 0' } }));
    const wanted = wantedSchedules(parsed, 'salvor');
    assert.deepEqual(
      wanted.map(({ scheduleId, action }) => [scheduleId, action]),
      ['backup', 'verify'].map((operation) => [
        `salvor/prod/${operation}`,
        {
          workflowType: operation,
          workflowId: `${operation}/prod/scheduled`,
          args: [{ cluster: 'prod' }],
          taskQueue: 'salvor',
          summary: `Scheduled ${operation} of prod`,
        },
      ]),
    );
  });

  test('only IDs of Salvor are read as such', () => {
    assert.deepEqual(parseScheduleId(scheduleIdOf('prod.eu', 'prune')), { cluster: 'prod.eu', operation: 'prune' });
    for (const other of [
      'other',
      'salvor',
      'salvor/',
      'salvor/prod',
      'salvor/prod/restore',
      'salvor/prod/backup/x',
      'my-salvor/prod/backup',
    ]) {
      assert.equal(parseScheduleId(other), undefined);
    }
  });
});
