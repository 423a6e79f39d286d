/** How a type of store describes itself; `filesystem/type.ts` and `s3/type.ts` do so. */
import type { Store } from './store.ts';

export interface StoreType<Configuration> {
  /**
   * Opens a store; nothing is sent to it yet.
   * @throws SalvorError `InvalidConfiguration` for a missing secret or certificate
   */
  open(configuration: Configuration & { name: string }): Promise<Store>;
  /** The configuration with every path of the worker made absolute. */
  resolvePaths(configuration: Configuration, absolute: (path: string) => string): Configuration;
  /** The folder of the worker whose disk it fills; absent if it fills none. */
  folder?(configuration: Configuration): string;
}
