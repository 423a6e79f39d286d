/** Turns the last words of ssh and sudo into the failures that Salvor reports. */
import { SalvorError } from '../../domain/errors.ts';
import { lastLines } from './tail.ts';
import type { SshRoute } from './ssh-client.ts';

export interface BrokenCommand {
  /** Whether the command began on the far side. */
  hasBegun: boolean;
  /** The exit code of the ssh client; undefined when it was ended because it took too long. */
  exitCode: number | undefined;
  said: string;
}

/** The exit code of ssh's own failures; any other comes from the far side. */
const SSH_FAILED = 255;

/** What ssh prints, and what to do about it. */
const REFUSALS: { says: RegExp; problem: string; advice: (route: SshRoute) => string }[] = [
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    problem: 'its host key differs from the known one',
    advice: ({ settings }) =>
      `if the machine was reinstalled, compare its key on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and replace the line in ${knownHosts(settings)}; if not, somebody may be intercepting the connection`,
  },
  {
    says: /Host key verification failed|No .* host key is known for/i,
    problem: 'its host key is not known to the worker',
    advice: ({ settings }) =>
      `compare its key on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and add it to ${knownHosts(settings)}`,
  },
  {
    says: /Permission denied|Too many authentication failures|No supported authentication methods|UNPROTECTED PRIVATE KEY/i,
    problem: 'it refuses the key of the worker',
    advice: ({ settings }) =>
      `put the public key of ${settings.identityFile ?? "the worker's user"} into the node's authorized_keys, or correct "user" and "identityFile"; ssh never prompts, so a key with a passphrase needs an agent`,
  },
];

/** Why a command on the far side has no result. */
export function connectionFailure(route: SshRoute, argv: readonly string[], broken: BrokenCommand): SalvorError {
  const { node, destination, settings } = route;
  const text = lastLines(broken.said) || 'it said nothing';
  if (broken.hasBegun) {
    return new SalvorError(
      'HostUnreachable',
      `${node}: the connection to ${destination} broke while \`${argv.join(' ')}\` ran, and the command ends with it: ${text}`,
    );
  }
  if (broken.exitCode === undefined) {
    return new SalvorError('HostUnreachable', `${node}: ${destination} did not answer in time: ${text}`);
  }
  if (broken.exitCode === SSH_FAILED) {
    const refusal = REFUSALS.find(({ says }) => says.test(broken.said));
    if (refusal !== undefined) {
      return new SalvorError(
        'AccessDenied',
        `${node}: no connection to ${destination}: ${refusal.problem}; ${refusal.advice(route)}. ssh said: ${text}`,
      );
    }
    return new SalvorError(
      'HostUnreachable',
      `${node}: no connection to ${destination}: ${text}. Check the node, its sshd and the way to it: ssh ${destination}`,
    );
  }
  if (settings.sudo) {
    return new SalvorError(
      'AccessDenied',
      `${node}: sudo refuses ${destination}: ${text}. The user needs sudo without a password, for any command, and without a terminal`,
    );
  }
  return new SalvorError(
    'AccessDenied',
    `${node}: the login shell of ${destination} ran no command (exit code ${broken.exitCode}): ${text}. The user needs a POSIX shell, and util-linux's setsid`,
  );
}

function knownHosts({ knownHostsFile }: SshRoute['settings']): string {
  return knownHostsFile ?? '~/.ssh/known_hosts of the worker';
}
