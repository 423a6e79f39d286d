import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBytes } from '../../../domain/units.ts';
import { formatAge, formatDuration, formatTime, paint, plain } from '../../../cli/render/format.ts';

describe('sizes, durations and times', () => {
  it('are short', () => {
    for (const [bytes, expected] of [
      [0, '0 B'],
      [1, '1 B'],
      [1023, '1023 B'],
      [1024, '1.0 KiB'],
      [12_345_678, '11.8 MiB'],
      [1024 ** 3 * 150, '150 GiB'],
      [1024 ** 6 * 3, '3072 PiB'],
    ] as const) {
      assert.equal(formatBytes(bytes), expected);
    }
    for (const [durationMs, expected] of [
      [-5, '0.0 s'],
      [200, '0.2 s'],
      [9_949, '9.9 s'],
      [9_960, '10 s'],
      [59_600, '1 min 00 s'],
      [185_000, '3 min 05 s'],
      [3_600_000, '1 h 00 min'],
      [7_800_000, '2 h 10 min'],
      [356_400_000, '4 d 3 h'],
    ] as const) {
      assert.equal(formatDuration(durationMs), expected);
    }
  });

  it('tell an age in its largest unit', () => {
    const now = new Date('2026-11-23T12:00:00Z');
    for (const [time, expected] of [
      ['2026-11-23T12:00:05Z', 'in the future'],
      ['2026-11-23T11:59:59Z', 'just now'],
      ['2026-11-23T11:59:00Z', '60 s ago'],
      ['2026-11-23T11:00:00Z', '60 min ago'],
      ['2026-11-23T06:00:00Z', '6 h ago'],
      ['2026-10-23T06:00:00Z', '31 d ago'],
    ] as const) {
      assert.equal(formatAge(new Date(time), now), expected);
    }
  });

  it('give UTC, and the local time behind it where that is another', () => {
    const time = new Date('2026-11-23T06:00:00.123Z');
    assert.equal(formatTime(time, { timeZone: 'UTC' }), '2026-11-23 06:00:00 UTC');
    assert.equal(formatTime(time, { timeZone: 'Asia/Shanghai' }), '2026-11-23 06:00:00 UTC (14:00 GMT+8)');
  });
});

describe('text from outside', () => {
  it('can neither move the cursor, nor colour, nor begin a line', () => {
    assert.equal(plain('a\u001b[2Jb\u001b[31mc\r\nd\u0007e\u009b1mf'), 'abc d ef');
  });

  it('is coloured only when that is wanted', () => {
    const look = { now: new Date(0), timeZone: 'UTC', columns: 80 };
    assert.equal(paint({ ...look, color: false }, 'red', 'x'), 'x');
    assert.equal(paint({ ...look, color: true }, 'red', 'x'), '\u001b[31mx\u001b[39m');
  });
});
