/** Backups in two filesystem stores, `local` and `offsite`, of a cluster `prod` with one node. */
import type { Catalogue } from '../../domain/backups/found-backup.ts';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readCatalogue } from '../../adapters/catalogue/catalogue.ts';
import { filesystemStore } from '../../adapters/stores/filesystem/store.ts';
import type { Store } from '../../adapters/stores/store.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Retention } from '../../domain/configuration/stores.ts';
import { formatManifest, type Manifest, type Proof } from '../../domain/format/manifest.ts';
import { manifestKey, snapshotKey, staticResourcesKey, verifiedKey } from '../../domain/format/keys.ts';
import { formatVerified } from '../../domain/format/verified.ts';
import { signal } from './store-contract.ts';

export const NODE = '10.0.0.1';
export const PLAIN = { compression: 'none', encrypted: false } as const;
export const ZSTD = { compression: 'zstd', encrypted: false } as const;

export interface StoredBackups {
  cluster: Cluster;
  stores: () => Store[];
  store: (name: string) => Store;
  pathIn: (store: string, key: string) => string;
  put: (store: string, key: string, text: string) => Promise<void>;
  /** Writes a whole backup of two artifacts to both stores. */
  backup: (id: string, change?: Partial<Manifest>) => Promise<Manifest>;
  drill: (store: string, id: string, verifiedAt: string, proof: Proof, ok?: boolean) => Promise<void>;
  retain: (store: string, retention: Retention) => void;
  catalogue: () => Promise<Catalogue>;
  /** All keys of a store, including hidden ones. */
  keys: (store: string) => Promise<string[]>;
}

export function digestOf(text: string) {
  return { bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

/** The keys of a whole backup in a store. */
export function keysOf(id: string): string[] {
  return [
    manifestKey('prod', NODE, id),
    snapshotKey('prod', NODE, id, ZSTD),
    staticResourcesKey('prod', NODE, id, false),
  ];
}

/** Makes two new, empty stores below `root`. */
export async function storedBackups(root: string): Promise<StoredBackups> {
  const folder = await mkdtemp(join(root, 'stores-'));
  const named = ['local', 'offsite'].map((name) => ({ name, type: 'filesystem', path: join(folder, name) }) as const);
  for (const { path } of named) await mkdir(path);
  const etcd = { memberName: 'm1', clientUrl: '', peerUrl: '', dataDir: '' };
  const nodes = [{ name: 'm1', address: NODE, connection: 'local', etcd } as const];
  const cluster: Cluster = {
    name: 'prod',
    digest: '0123456789abcdef',
    flavour: 'etcd',
    stores: named,
    compression: 'zstd',
    schedules: {},
    nodes,
  };

  function pathIn(store: string, key: string): string {
    const found = cluster.stores.find(({ name }) => name === store);
    assert.ok(found?.type === 'filesystem');
    return join(found.path, key);
  }

  async function put(store: string, key: string, text: string): Promise<void> {
    const path = pathIn(store, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  async function backup(id: string, change: Partial<Manifest> = {}): Promise<Manifest> {
    const stores = ['local', 'offsite'];
    const artifacts = [
      { kind: 'snapshot', key: snapshotKey('prod', NODE, id, ZSTD), compression: 'zstd' },
      { kind: 'static-resources', key: staticResourcesKey('prod', NODE, id, false), compression: 'gzip' },
    ] as const;
    const manifest: Manifest = {
      formatVersion: 1,
      salvor: '0.1.0',
      backup: id,
      cluster: 'prod',
      flavour: 'etcd',
      node: { name: 'm1', address: NODE },
      takenAt: '2026-01-02T03:04:05.678Z',
      etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '1234', totalKeys: 5, members: [] },
      intendedStores: stores.map((store) => ({ store, kinds: ['snapshot', 'static-resources'] })),
      artifacts: artifacts.map((artifact) => {
        const text = `${artifact.kind} ${id}`;
        return { ...artifact, encrypted: false, content: digestOf('x'), stored: digestOf(text), stores };
      }),
      ...change,
    };
    for (const store of stores) {
      for (const { kind, key } of artifacts) await put(store, key, `${kind} ${id}`);
      await put(store, manifestKey('prod', NODE, id), formatManifest(manifest));
    }
    return manifest;
  }

  async function drill(store: string, id: string, verifiedAt: string, proof: Proof, ok = true): Promise<void> {
    const node = { address: NODE };
    const checks = [{ name: 'keys', ok, seen: '5 keys' }];
    const verified = {
      formatVersion: 1,
      backup: id,
      cluster: 'prod',
      node,
      verifiedAt,
      proof,
      store,
      checks,
      durationMs: 1,
    } as const;
    await put(store, verifiedKey('prod', NODE, id), formatVerified(verified));
  }

  function stores(): Store[] {
    return cluster.stores.flatMap((store) => (store.type === 'filesystem' ? [filesystemStore(store)] : []));
  }

  function store(name: string): Store {
    const found = stores().find((each) => each.name === name);
    assert.ok(found);
    return found;
  }

  return {
    cluster,
    stores,
    store,
    pathIn,
    put,
    backup,
    drill,
    retain(name, retention) {
      cluster.stores = cluster.stores.map((each) => (each.name === name ? { ...each, retention } : each));
    },
    catalogue: () => readCatalogue(cluster, stores(), signal()),
    async keys(name) {
      const entries = await readdir(pathIn(name, ''), { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      return files.map((entry) => relative(pathIn(name, ''), join(entry.parentPath, entry.name))).sort();
    },
  };
}
