import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Retention } from '../../../domain/configuration/stores.ts';
import { PROOFS } from '../../../domain/format/manifest.ts';
import { backupIdOf } from '../../../domain/format/keys.ts';
import { decideRetention, type RetentionCandidate } from '../../../domain/retention/decide.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const HOUR_MS = 3_600_000;

/** Up to 60 backups, some of the same hour or second, over about two years: enough for every rule to bite. */
const backupsArbitrary = fc
  .uniqueArray(
    fc.record({
      ageMs: fc.oneof(
        fc.integer({ min: 0, max: 100 }).map((hours) => hours * (HOUR_MS / 2)),
        fc.integer({ min: 0, max: 700 }).map((days) => days * 24 * HOUR_MS),
      ),
      nodeAddress: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
      state: fc.constantFrom('complete', 'complete', 'degraded', 'broken', 'foreign'),
      proof: fc.option(fc.constantFrom(...PROOFS)),
      pinned: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      locked: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      bytes: fc.integer({ min: 0, max: 1_000 }),
    }),
    { maxLength: 60, selector: ({ ageMs, nodeAddress }) => `${ageMs} ${nodeAddress}` },
  )
  .map((drawn) =>
    drawn.map(({ ageMs, ...rest }): RetentionCandidate => {
      const time = new Date(NOW.getTime() - ageMs);
      return { backup: backupIdOf(time), takenAt: time.toISOString(), ...rest };
    }),
  );

const COUNTS = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly', 'atLeast'] as const;
const count = fc.integer({ min: 1, max: 12 });
const keepRulesArbitrary = fc.record(
  {
    ...(Object.fromEntries(COUNTS.map((rule) => [rule, count])) as Record<(typeof COUNTS)[number], typeof count>),
    keepWithin: fc.constantFrom('1h', '2d', '3w', '300d'),
  },
  { requiredKeys: [] },
);
const rulesArbitrary = fc
  .tuple(keepRulesArbitrary, fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }))
  .map(([rules, maxBytes]): Retention => ({ ...rules, ...(maxBytes !== undefined && { maxBytes }) }));

function decide(backups: RetentionCandidate[], rules: Retention, includeForeign: boolean) {
  const { kept, removed } = decideRetention(backups, rules, { now: NOW, includeForeign });
  return {
    kept: kept.map((verdict) => verdict.backup),
    removed: removed.map((verdict) => verdict.backup),
    verdicts: [...kept, ...removed],
  };
}

function property(holds: (backups: RetentionCandidate[], rules: Retention, includeForeign: boolean) => void): void {
  fc.assert(fc.property(backupsArbitrary, rulesArbitrary, fc.boolean(), holds), { numRuns: 500 });
}

function isGood({ state }: RetentionCandidate): boolean {
  return state === 'complete' || state === 'degraded';
}

function newest(backups: RetentionCandidate[]): string | undefined {
  return backups
    .map(({ takenAt }) => takenAt)
    .toSorted()
    .at(-1);
}

suite('retention, whatever the backups and the rules', () => {
  test('every backup is kept or removed, once, newest first, with a reason', () => {
    property((backups, rules, includeForeign) => {
      const { kept, removed, verdicts } = decide(backups, rules, includeForeign);
      assert.equal(verdicts.length, backups.length);
      assert.deepEqual(new Set(verdicts.map((verdict) => verdict.backup)), new Set(backups));
      for (const { reason } of verdicts) assert.match(reason, /\w/);
      for (const list of [kept, removed]) {
        const times = list.map(({ takenAt }) => takenAt);
        assert.deepEqual(times, times.toSorted().toReversed());
      }
    });
  });

  test('never the newest good one', () => {
    property((backups, rules, includeForeign) => {
      const time = newest(backups.filter(isGood));
      const { kept } = decide(backups, rules, includeForeign);
      if (time !== undefined) assert.ok(kept.some((entry) => isGood(entry) && entry.takenAt === time));
    });
  });

  test('never the last proven one, nor the last of the best proof', () => {
    property((backups, rules, includeForeign) => {
      const { kept } = decide(backups, rules, includeForeign);
      const good = backups.filter(isGood);
      const proven = good.filter(({ proof }) => proof === 'restored' || proof === 'served');
      const best = PROOFS.toReversed()
        .map((level) => good.filter(({ proof }) => proof === level))
        .find((ofLevel) => ofLevel.length > 0);
      for (const group of [proven, best ?? []]) {
        const time = newest(group);
        if (time !== undefined) assert.ok(kept.some((entry) => group.includes(entry) && entry.takenAt === time));
      }
    });
  });

  test('never a pinned or locked one, nor a foreign one that was not asked for', () => {
    property((backups, rules, includeForeign) => {
      for (const entry of decide(backups, rules, includeForeign).removed) {
        assert.ok(!entry.pinned && !entry.locked);
        assert.ok(includeForeign || entry.state !== 'foreign');
      }
    });
  });

  test('never fewer good ones than atLeast, when there are as many', () => {
    property((backups, rules, includeForeign) => {
      const good = backups.filter(isGood).length;
      const left = decide(backups, rules, includeForeign).kept.filter(isGood).length;
      assert.ok(left >= Math.min(rules.atLeast ?? 0, good));
    });
  });

  test('what isn’t good changes nothing for what is, as long as bytes aren’t counted', () => {
    fc.assert(
      fc.property(backupsArbitrary, keepRulesArbitrary, fc.boolean(), (backups, rules, includeForeign) => {
        const alone = decide(backups.filter(isGood), rules, includeForeign);
        assert.deepEqual(decide(backups, rules, includeForeign).removed.filter(isGood), alone.removed);
      }),
    );
  });

  test('nothing that isn’t good is removed without a newer good backup', () => {
    property((backups, rules, includeForeign) => {
      const time = newest(backups.filter(isGood)) ?? '';
      for (const entry of decide(backups, rules, includeForeign).removed) {
        if (!isGood(entry)) assert.ok(entry.takenAt < time);
      }
    });
  });

  test('once done, doing it again removes nothing', () => {
    property((backups, rules, includeForeign) => {
      const first = decide(backups, rules, includeForeign);
      const second = decide(first.kept, rules, includeForeign);
      assert.deepEqual(second.removed, []);
      assert.deepEqual(second.kept, first.kept);
    });
  });

  test('stopped half-way through removing, doing it again ends where one go would have', () => {
    fc.assert(
      fc.property(backupsArbitrary, rulesArbitrary, fc.nat(), (backups, rules, cut) => {
        const whole = decide(backups, rules, true);
        const done = new Set(whole.removed.toReversed().slice(0, cut % (whole.removed.length + 1)));
        const rest = backups.filter((entry) => !done.has(entry));
        assert.deepEqual(decide(rest, rules, true).kept, whole.kept);
      }),
      { numRuns: 500 },
    );
  });

  test('the order of the input plays no part', () => {
    const shuffled = backupsArbitrary.chain((backups) =>
      fc.tuple(fc.constant(backups), fc.shuffledSubarray(backups, { minLength: backups.length })),
    );
    fc.assert(
      fc.property(shuffled, rulesArbitrary, ([backups, other], rules) => {
        assert.deepEqual(decide(other, rules, true).verdicts, decide(backups, rules, true).verdicts);
      }),
    );
  });

  test('one more keep rule, or a greater count, never removes more', () => {
    const more = fc.tuple(fc.constantFrom(...COUNTS), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(
        backupsArbitrary,
        keepRulesArbitrary,
        more,
        fc.boolean(),
        (backups, rules, [rule, by], includeForeign) => {
          // The first keep rule ever is no addition but a beginning: without any, everything is kept.
          const before: Retention = { keepLast: 1, ...rules };
          const after: Retention = { ...before, [rule]: (before[rule] ?? 0) + by };
          const removedBefore = new Set(decide(backups, before, includeForeign).removed);
          for (const entry of decide(backups, after, includeForeign).removed) assert.ok(removedBefore.has(entry));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('more room never removes more', () => {
    fc.assert(
      fc.property(backupsArbitrary, rulesArbitrary, fc.nat(20_000), (backups, rules, bytes) => {
        const less: Retention = { ...rules, maxBytes: rules.maxBytes ?? 5_000 };
        const removedBefore = new Set(decide(backups, less, true).removed);
        const roomier = { ...less, maxBytes: (less.maxBytes ?? 0) + bytes };
        for (const entry of decide(backups, roomier, true).removed) assert.ok(removedBefore.has(entry));
      }),
    );
  });

  test('what is kept fits into maxBytes, or nothing that is kept could go', () => {
    fc.assert(
      fc.property(backupsArbitrary, fc.integer({ min: 1, max: 20_000 }), (backups, maxBytes) => {
        const { kept } = decideRetention(backups, { maxBytes }, { now: NOW, includeForeign: true });
        const bytes = kept.reduce((sum, { backup }) => sum + backup.bytes, 0);
        if (bytes > maxBytes) assert.ok(kept.every(({ reason }) => reason !== 'within maxBytes'));
      }),
    );
  });

  test('the input stays as it was', () => {
    property((backups, rules, includeForeign) => {
      const before = structuredClone(backups);
      decide(backups, rules, includeForeign);
      assert.deepEqual(backups, before);
    });
  });
});

test('the work grows with the number of backups, not with its square', (context) => {
  const rules: Retention = {
    keepLast: 28,
    keepWithin: '30d',
    keepHourly: 48,
    keepDaily: 60,
    keepWeekly: 50,
    keepMonthly: 24,
    keepYearly: 5,
    atLeast: 4,
    maxBytes: 100_000,
  };
  function readsPerBackup(total: number): number {
    let reads = 0;
    const backups = Array.from({ length: total }, (_, index): RetentionCandidate => {
      const time = new Date(NOW.getTime() - index * HOUR_MS);
      const target: RetentionCandidate = {
        backup: backupIdOf(time),
        nodeAddress: '10.0.0.1',
        takenAt: time.toISOString(),
        state: 'complete',
        proof: 'readBack',
        pinned: false,
        bytes: 1_000,
      };
      return new Proxy(target, {
        get(from, property, receiver) {
          reads += 1;
          return Reflect.get(from, property, receiver);
        },
      });
    });
    const startMs = performance.now();
    decideRetention(backups, rules, { now: NOW, includeForeign: true });
    context.diagnostic(`${total} backups, reads counted: ${Math.round(performance.now() - startMs)} ms`);
    return reads / total;
  }

  const few = readsPerBackup(1_000);
  const many = readsPerBackup(10_000);
  assert.ok(many <= few * 1.5, `${few} reads for each of 1,000 backups, ${many} for each of 10,000`);
});
