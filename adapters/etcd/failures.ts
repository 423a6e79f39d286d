/** Turns the errors of gRPC and etcd into the failures that Salvor reports. */
import { status } from '@grpc/grpc-js';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { MemberEndpoint } from './member.ts';

/**
 * OpenSSL's and Node's words for a certificate that one side refused, or for something that was not a TLS handshake.
 */
const TLS_REFUSAL =
  /certificate|altnames|tls_|tlsv1|ssl routines|\balert\b|wrong version number|EPROTO|ERR_TLS|ERR_SSL|UNABLE_TO_/i;

/**
 * A connection that was accepted and dropped at once: by a member that is shutting down, or by one that speaks the
 * other protocol.
 */
const DROPPED =
  /disconnected before secure TLS|failed to connect|connection dropped|ECONNRESET|protocol error|socket hang up/i;

/**
 * etcd's words for membership changes that it will accept once the other members are healthy and connected, or the new
 * one has caught up.
 */
const NOT_YET = /in sync with leader|not enough started members|unhealthy cluster/;

/**
 * @param tried the request, for the message
 */
export function memberFailure(error: unknown, endpoint: MemberEndpoint, tried: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const { code, text } = grpcStatus(error);
  const where = `etcd on node ${endpoint.node} (${endpoint.clientUrl})`;
  const options = { cause: error };
  if (text.includes('user name is empty')) {
    return new SalvorError(
      'AccessDenied',
      `${where} refused ${tried}: ${text}; etcd's own authentication is on: use a client certificate whose common name is an etcd user with the root role`,
      options,
    );
  }
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED) {
    return new SalvorError(
      'AccessDenied',
      `${where} refused ${tried}: ${text}; check the certificates in etcd.tls`,
      options,
    );
  }
  if (code === status.UNAVAILABLE && TLS_REFUSAL.test(text)) {
    return new SalvorError(
      'AccessDenied',
      `no TLS connection to ${where} for ${tried}: ${text}; check that etcd.tls names the member's certificate authority and a client certificate signed by it, and that the member's certificate holds the client URL's host`,
      options,
    );
  }
  if (code === status.OUT_OF_RANGE) {
    return new SalvorError(
      'ClusterNotReady',
      `${where} can't answer ${tried}: ${text}; it lags behind or has compacted that revision: ask again at another`,
      options,
    );
  }
  if (NOT_YET.test(text)) {
    return new SalvorError('MemberUnreachable', `${where} refuses ${tried} for now: ${text}`, options);
  }
  if (code === status.UNIMPLEMENTED || code === status.INVALID_ARGUMENT || code === status.FAILED_PRECONDITION) {
    return new SalvorError('UnsafeState', `${where} refused ${tried}: ${text}`, options);
  }
  return new SalvorError(
    'MemberUnreachable',
    `no answer from ${where} to ${tried}: ${text}; check that the member runs and that the worker reaches its client URL${DROPPED.test(text) ? ', and that the URL begins correctly with http or https' : ''}`,
    options,
  );
}

/** etcd3 rethrows gRPC's errors without their code, which is then only in the message: `14 UNAVAILABLE: …`. */
function grpcStatus(error: unknown): { code: number | undefined; text: string } {
  const message = messageOf(error).replace(/\.? Resolution note: ?$/, '');
  const match = /^(\d+) [A-Z_]+: (.*)$/s.exec(message);
  return match ? { code: Number(match[1]), text: match[2] || message } : { code: undefined, text: message };
}
