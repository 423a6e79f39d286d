import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/activity';
import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { attended } from '../../../activities/attend.ts';
import { SalvorError } from '../../../domain/errors.ts';

/**
 * `limit.mutableStateActivityFailureSize.error` of Temporal's server: above it a pending activity says "Failure exceeds
 * size limit" instead.
 */
const LIMIT_BYTES = 4 * 1024;

test('what a retried activity failed with is short enough for Temporal to show, with words for five members', async () => {
  const silent = (node: number) =>
    `m${node}: no answer from etcd on node m${node} (https://10.123.0.1${node}:2379) to a status request: 14 UNAVAILABLE: No connection established. ` +
    `Last error: connect ECONNREFUSED 10.123.0.1${node}:2379; check that the member runs and that the worker reaches its client URL`;
  const message = `expected 5 members, 0 answer; ${[1, 2, 3, 4, 5].map(silent).join('; ')}`;
  const look = attended(async () => {
    throw new SalvorError('MemberUnreachable', message, { cause: new Error(message) });
  });
  const failed = await new MockActivityEnvironment().run(look, undefined).catch((error: unknown) => error);
  assert.ok(failed instanceof ApplicationFailure);
  assert.equal(failed.message, message);
  assert.equal(failed.type, 'MemberUnreachable');
  const sent = new DefaultFailureConverter().errorToFailure(failed, defaultPayloadConverter);
  assert.match(sent.stackTrace ?? '', /attend\.test\.ts/);
  const bytes = Buffer.byteLength(JSON.stringify(sent));
  assert.ok(bytes < LIMIT_BYTES, `${bytes} bytes`);
});
