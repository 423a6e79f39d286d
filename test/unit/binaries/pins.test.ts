import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { settingOf } from '../../../adapters/binaries/binaries.ts';
import { PLATFORMS, RELEASES, releaseOf, TOOL_NAMES } from '../../../adapters/binaries/pins.ts';
import { fits } from '../../../adapters/binaries/versions.ts';

describe('the pins', () => {
  for (const name of TOOL_NAMES) {
    it(`give ${name} one release, whose own version is accepted, for Linux at least`, () => {
      const { release } = releaseOf(name);
      assert.equal(RELEASES.filter((other) => name in other.tools).length, 1);
      assert.ok(fits(release.version, release.accepts));
      for (const platform of ['linux-amd64', 'linux-arm64'] as const) assert.ok(release.artifact(name, platform));
    });

    it(`say where ${name} lies in its archive, under a URL and with sums that are well-formed`, () => {
      const { release } = releaseOf(name);
      for (const platform of PLATFORMS) {
        const artifact = release.artifact(name, platform);
        if (artifact === undefined) continue;
        for (const url of [artifact.url, artifact.checksumsUrl]) {
          assert.match(url, /^https:\/\/(github\.com|dl\.k8s\.io)\/\S+$/);
          assert.ok(url.includes(`/v${release.version}/`), `${url} is not of version ${release.version}`);
        }
        if (artifact.sha256 !== undefined) assert.match(artifact.sha256, /^[0-9a-f]{64}$/);
        if (artifact.members !== undefined) assert.ok(artifact.members[name]);
      }
    });
  }

  it('name the same versions as the Go modules, from which the same tools are built', async () => {
    for (const { name, version, registry } of RELEASES) {
      if (registry.kind !== 'go') continue;
      const url = new URL(`../../../tools/go/${registry.module}/go.mod`, import.meta.url);
      const module = await readFile(url, 'utf8');
      for (const target of Object.values(registry.packages)) {
        assert.match(
          module,
          new RegExp(`^(?:tool|\\s)\\s*${target.replaceAll('.', '\\.')}$`, 'm'),
          `no tool line for ${target}`,
        );
      }
      const escaped = version.replaceAll('.', '\\.');
      assert.match(module, new RegExp(`(etcd/server/v3|versitygw|k8s\\.io/kubernetes) v${escaped}\\b`), name);
    }
  });

  it('let every tool be set by an environment variable of its own', () => {
    assert.equal(settingOf('etcdutl'), 'SALVOR_ETCDUTL');
    assert.equal(settingOf('kube-apiserver'), 'SALVOR_KUBE_APISERVER');
    assert.equal(new Set(TOOL_NAMES.map(settingOf)).size, TOOL_NAMES.length);
  });
});
