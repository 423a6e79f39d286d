import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { releaseOf, type ToolName } from '../../../adapters/binaries/pins.ts';
import { fits, parseVersion } from '../../../adapters/binaries/versions.ts';

describe('the version of a binary', () => {
  const printed: [string, string | undefined][] = [
    ['etcd Version: 3.6.16\nGit SHA: Not provided (use ./build instead of go build)\nGo Version: go1.26.8', '3.6.16'],
    ['etcdctl version: 3.6.16\nAPI version: 3.6', '3.6.16'],
    ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', '1.9.1'],
    ['Version  : 1.8.0\nBuild    : 4f5d2\nBuildTime: 2026-08-12T10:11:12Z', '1.8.0'],
    ['Version  : git\nBuild    : norev\nBuildTime: none', undefined],
    ['Kubernetes v1.34.4', '1.34.4'],
    ['Client Version: v1.34.4\nKustomize Version: v5.7.1', '1.34.4'],
    ['Kubernetes v1.34.4+k3s1', '1.34.4'],
    ['v1.34.4-eks-3025e55', '1.34.4'],
    ['1.34', undefined],
    ['', undefined],
  ];
  for (const [text, version] of printed) {
    it(`is ${version ?? 'unknown'} when it prints ${JSON.stringify(text)}`, () => {
      assert.equal(parseVersion(text), version);
    });
  }

  const decisions: [ToolName, string, boolean][] = [
    ['etcd', '3.6.0', true],
    ['etcdutl', '3.6.99', true],
    ['etcdctl', '3.5.27', false],
    ['etcd', '3.7.0', false],
    ['etcd', '3.10.0', false],
    ['temporal', '1.9.0', true],
    ['temporal', '1.10.0', true],
    ['temporal', '1.8.9', false],
    ['temporal', '2.0.0', false],
    ['versitygw', '1.0.0', true],
    ['versitygw', '0.9.9', false],
    ['kube-apiserver', '1.34.0', true],
    ['kubectl', '1.33.9', false],
    ['kubectl', '1.35.0', false],
  ];
  for (const [tool, version, accepted] of decisions) {
    it(`${accepted ? 'fits' : 'does not fit'}: ${tool} ${version}`, () => {
      assert.equal(fits(version, releaseOf(tool).release.accepts), accepted);
    });
  }
});
