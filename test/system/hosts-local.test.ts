import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost } from '../../adapters/hosts/local.ts';
import { describeHost } from '../support/host-contract.ts';

describeHost('the machine of the worker as a host', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  return { host: localHost('m1'), directory, remove: () => rm(directory, { recursive: true }) };
});
