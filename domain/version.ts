/** Salvor's own version, as it stands in manifests; a test keeps it equal to package.json's. */
export const SALVOR_VERSION = '0.1.0';
