/** Set-aside data directories on real hosts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost } from '../../adapters/hosts/local.ts';
import { sshHost } from '../../adapters/hosts/ssh.ts';
import { describeSetAside } from '../support/set-aside-contract.ts';
import { sshdMissing, startSshd } from '../support/sshd.ts';

describeSetAside('on the machine of the worker', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  return { host: localHost('m1'), directory, remove: async () => await rm(directory, { recursive: true }) };
});

describeSetAside(
  'on a machine over SSH',
  async () => {
    const sshd = await startSshd();
    const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    return {
      host: sshHost(sshd.node, sshd.settings),
      directory,
      async remove() {
        await sshd.stop();
        await rm(directory, { recursive: true });
      },
    };
  },
  await sshdMissing(),
);
