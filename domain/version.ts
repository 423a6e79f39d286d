/** Salvor's own version, which manifests record. A test checks that it is the version in package.json. */
export const SALVOR_VERSION = '0.1.0';
