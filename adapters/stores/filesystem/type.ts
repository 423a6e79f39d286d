/** The type "filesystem". */
import type { FilesystemStoreConfiguration } from '../../../domain/configuration/stores.ts';
import type { StoreType } from '../type.ts';
import { filesystemStore } from './store.ts';

export const filesystem: StoreType<FilesystemStoreConfiguration> = {
  open: async (configuration) => filesystemStore(configuration),
  resolvePaths: (configuration, absolute) => ({ ...configuration, path: absolute(configuration.path) }),
  folder: ({ path }) => path,
};
