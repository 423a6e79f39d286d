import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registryName } from '../../../domain/restore/registry-key.ts';

describe('a key of etcd', () => {
  it('is the type and name of the object that Kubernetes keeps there', () => {
    for (const [key, type, name] of [
      ['/registry/configmaps/default/a', 'configmaps', 'default/a'],
      ['/registry/namespaces/default', 'namespaces', 'default'],
      ['/registry/clusterroles/system:node', 'clusterroles', 'system:node'],
      ['/registry/minions/m1', 'nodes', 'm1'],
      ['/registry/controllers/default/old', 'replicationcontrollers', 'default/old'],
      ['/registry/ingress/default/web', 'ingresses', 'default/web'],
      ['/registry/services/specs/default/kubernetes', 'services', 'default/kubernetes'],
      ['/registry/services/endpoints/default/kubernetes', 'endpoints', 'default/kubernetes'],
      ['/registry/endpointslices/default/kubernetes', 'endpointslices', 'default/kubernetes'],
      ['/registry/ranges/serviceips', 'ranges', 'serviceips'],
      ['/registry/apiregistration.k8s.io/apiservices/v1.apps', 'apiservices.apiregistration.k8s.io', 'v1.apps'],
      [
        '/registry/apiextensions.k8s.io/customresourcedefinitions/a.example.com',
        'customresourcedefinitions.apiextensions.k8s.io',
        'a.example.com',
      ],
      ['/registry/cert-manager.io/certificates/web/tls', 'certificates.cert-manager.io', 'web/tls'],
      ['/registry/cert-manager.io/clusterissuers/all', 'clusterissuers.cert-manager.io', 'all'],
      ['/kubernetes.io/secrets/default/s', 'secrets', 'default/s'],
      ['/kubernetes.io/services/specs/default/web', 'services', 'default/web'],
      ['/kubernetes.io/config.openshift.io/clusterversions/version', 'clusterversions.config.openshift.io', 'version'],
      ['/openshift.io/routes/web/front', 'routes', 'web/front'],
      ['/openshift.io/oauth/accesstokens/sha256~x', 'oauthaccesstokens', 'sha256~x'],
    ] as const) {
      assert.deepEqual(registryName(key), { type, name, noise: false }, key);
    }
  });

  it('that is renewed all the time is noise', () => {
    for (const [key, type, name] of [
      ['/registry/leases/kube-node-lease/m1', 'leases', 'kube-node-lease/m1'],
      ['/registry/leases/kube-system/kube-scheduler', 'leases', 'kube-system/kube-scheduler'],
      ['/registry/events/default/a.17', 'events', 'default/a.17'],
      ['/registry/masterleases/10.0.0.1', 'masterleases', '10.0.0.1'],
      ['/registry/peerserverleases/apiserver-x', 'peerserverleases', 'apiserver-x'],
      ['/kubernetes.io/events/default/a.17', 'events', 'default/a.17'],
      ['compact_rev_key', 'keys', 'compact_rev_key'],
    ] as const) {
      assert.deepEqual(registryName(key), { type, name, noise: true }, key);
    }
  });

  it("that is none of Kubernetes' is shown as it is", () => {
    for (const key of [
      '',
      '/',
      'a',
      '/calico/ipam/v2/assignment/ipv4',
      '/registryx/configmaps/default/a',
      'registry/configmaps/default/a',
      '/registry',
      '/registry/',
      '/registry/health',
      '/registry/configmaps/',
      '/registry/configmaps/default/',
      '/registry/configmaps//a',
      '/registry/cert-manager.io/certificates',
      '/registry/cert-manager.io//a',
      '/registry/services/specs',
    ]) {
      assert.deepEqual(registryName(key), { type: 'keys', name: key, noise: false }, key);
    }
  });

  it('of a type that has the name of something in JavaScript is no other type', () => {
    assert.equal(registryName('/registry/constructor/default/a').type, 'constructor');
    assert.equal(registryName('/registry/toString/a').type, 'toString');
  });
});
