/** What a type of store says of itself; `filesystem/type.ts` and `s3/type.ts` do. */
import type { Store } from './store.ts';

export interface StoreType<Configuration> {
  /**
   * Opens a store; nothing is sent to it yet.
   * @throws SalvorError `InvalidConfiguration` for a secret or certificate that isn't there
   */
  open(configuration: Configuration & { name: string }): Promise<Store>;
  /** The configuration with every path of the worker made absolute. */
  resolvePaths(configuration: Configuration, absolute: (path: string) => string): Configuration;
  /** The folder of the worker whose disk it fills; absent where it fills none. */
  folder?(configuration: Configuration): string;
}
