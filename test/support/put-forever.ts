/** A process that puts an endless object into the given directory, until a test kills it. */
import { filesystemStore } from '../../adapters/stores/filesystem/store.ts';

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.alloc(65_536);
  }
}

const [path = ''] = process.argv.slice(2);
const store = filesystemStore({ name: 'local', type: 'filesystem', path });
await store.put('prod/node/snapshot.db', endless(), { signal: AbortSignal.timeout(60_000) });
