/** The certificates of a playground: one authority and P-256 keys, all made together. */
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { LOOPBACK, type Paths, type State } from './state.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID_MS = 10 * 365 * 86_400_000;
/** A margin for clocks that were set back. */
const BACKDATED_MS = 3_600_000;

/** The first address of 10.96.0.0/16, which kube-apiserver takes as its own. */
const KUBERNETES_SERVICE_ADDRESS = '10.96.0.1';

interface Authority {
  certificate: x509.X509Certificate;
  keys: webcrypto.CryptoKeyPair;
}

/**
 * Makes the certificates unless they exist: `ca`, `etcd-<node>` (server and peer), `etcd-client`, `kube-apiserver`,
 * `admin` (of `system:masters`), and the pair `service-account.key` and `.pub`. Keys are PKCS #8 files of mode 0600.
 */
export async function provideCertificates(paths: Paths, state: State): Promise<void> {
  if (await stat(paths.certificates).catch(() => undefined)) return;
  // Made in another directory and renamed, so that certificates of two authorities never mix.
  const unfinished = `${paths.certificates}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const authority = await newAuthority();
  await save(unfinished, 'ca', authority.keys, authority.certificate);
  const issue = async (name: string, subject: string, hosts: string[]): Promise<void> => {
    const keys = await newKeys();
    await save(unfinished, name, keys, await sign(authority, keys, subject, hosts));
  };
  const addresses = [...new Set([LOOPBACK, ...state.nodes.map((node) => node.address)])];
  for (const { name, address } of state.nodes) {
    await issue(`etcd-${name}`, `CN=${name}`, ['localhost', ...new Set([LOOPBACK, address])]);
  }
  await issue('etcd-client', 'CN=salvor-playground', []);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  await issue('kube-apiserver', 'CN=kube-apiserver', [...names, KUBERNETES_SERVICE_ADDRESS, ...addresses]);
  await issue('admin', 'CN=playground-admin, O=system:masters', []);
  const serviceAccount = await newKeys();
  await save(unfinished, 'service-account', serviceAccount);
  const publicKey = await crypto.subtle.exportKey('spki', serviceAccount.publicKey);
  const pem = x509.PemConverter.encode(publicKey, x509.PemConverter.PublicKeyTag);
  await writeFile(join(unfinished, 'service-account.pub'), `${pem}\n`);
  await rename(unfinished, paths.certificates);
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - BACKDATED_MS), notAfter: new Date(Date.now() + VALID_MS) };
}

async function newAuthority(): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=Salvor playground',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

async function sign(
  authority: Authority,
  keys: webcrypto.CryptoKeyPair,
  subject: string,
  hosts: string[],
): Promise<x509.X509Certificate> {
  const names = hosts.map((host) => ({
    type: /^[\d.]+$/.test(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }));
  return x509.X509CertificateGenerator.create({
    ...validity(),
    subject,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // etcd requires both: a member is a client of its peers, and of its own gateway.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
}

async function save(
  directory: string,
  name: string,
  keys: webcrypto.CryptoKeyPair,
  certificate?: x509.X509Certificate,
): Promise<void> {
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const pem = x509.PemConverter.encode(pkcs8, x509.PemConverter.PrivateKeyTag);
  await writeFile(join(directory, `${name}.key`), `${pem}\n`, { mode: 0o600 });
  if (certificate) await writeFile(join(directory, `${name}.crt`), `${certificate.toString('pem')}\n`, { mode: 0o644 });
}
