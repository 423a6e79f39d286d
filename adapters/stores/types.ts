/** Every type of store: the only place that distinguishes them. */
import type { StoreConfigurations, StoreTypeName } from '../../domain/configuration/stores.ts';
import { filesystem } from './filesystem/type.ts';
import { s3 } from './s3/type.ts';
import type { Store } from './store.ts';
import type { StoreType } from './type.ts';

const STORE_TYPES: { [T in StoreTypeName]: StoreType<StoreConfigurations[T]> } = { filesystem, s3 };

type Of<T extends StoreTypeName> = StoreConfigurations[T] & { type: T };

/**
 * Opens a store; nothing is sent to it yet. Close it when done.
 * @throws SalvorError `InvalidConfiguration` for a missing secret or certificate
 */
export async function openStore<T extends StoreTypeName>(named: Of<T> & { name: string }): Promise<Store> {
  return await typeOf<T>(named).open(named);
}

/** The configuration with every path of the worker made absolute. */
export function resolveStorePaths<T extends StoreTypeName>(
  store: Of<T>,
  absolute: (path: string) => string,
): StoreConfigurations[T] {
  return typeOf<T>(store).resolvePaths(store, absolute);
}

/** The folder of the worker whose disk a store fills; undefined if it fills none. */
export function folderOf<T extends StoreTypeName>(store: Of<T>): string | undefined {
  return typeOf<T>(store).folder?.(store);
}

function typeOf<T extends StoreTypeName>({ type }: { type: T }): StoreType<StoreConfigurations[T]> {
  return STORE_TYPES[type];
}
