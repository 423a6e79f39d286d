import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberFailure } from '../../../adapters/etcd/failures.ts';
import type { FailureType } from '../../../domain/errors.ts';

const endpoint = { node: 'm1', clientUrl: 'https://10.0.0.1:2379' };

for (const [message, type] of [
  ['14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.1:2379', 'MemberUnreachable'],
  ['4 DEADLINE_EXCEEDED: Deadline exceeded after 5.0s', 'MemberUnreachable'],
  ['14 UNAVAILABLE: etcdserver: request timed out', 'MemberUnreachable'],
  [
    '14 UNAVAILABLE: No connection established. Last error: self-signed certificate in certificate chain',
    'AccessDenied',
  ],
  [
    "14 UNAVAILABLE: No connection established. Last error: Hostname/IP does not match certificate's altnames",
    'AccessDenied',
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: SSL routines:tls_get_more_records:packet length too long',
    'AccessDenied',
  ],
  ['16 UNAUTHENTICATED: etcdserver: invalid auth token', 'AccessDenied'],
  ['7 PERMISSION_DENIED: etcdserver: permission denied', 'AccessDenied'],
  ['3 INVALID_ARGUMENT: etcdserver: user name is empty', 'AccessDenied'],
  ['11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision', 'ClusterNotReady'],
  ['12 UNIMPLEMENTED: unknown service etcdserverpb.Maintenance', 'UnsafeState'],
] as const satisfies [string, FailureType][]) {
  test(`"${message}" is ${type}, and the message names the node and its URL`, () => {
    const failure = memberFailure(new Error(message), endpoint, 'a status request');
    assert.equal(failure.type, type);
    assert.match(failure.message, /node m1 \(https:\/\/10\.0\.0\.1:2379\)/);
    assert.match(failure.message, /a status request/);
  });
}
