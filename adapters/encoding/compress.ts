/** Compression as a pass-through of bytes; `zstd -d` and `gunzip` read it. */
import { pipeline, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { ManifestArtifact } from '../../domain/manifest.ts';

export type StreamCompression = ManifestArtifact['compression'];

const CHUNK_BYTES = 256 * 1024;
const ZSTD_LEVEL = 3;

/** Compresses a stream, off the main thread. */
export function compress(source: AsyncIterable<Uint8Array>, compression: StreamCompression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return passing(source, createGzip({ chunkSize: CHUNK_BYTES }));
    case 'zstd': {
      // No ZSTD_c_nbWorkers: with it Node 24.21 ends the process with "stream.push() after EOF".
      const params = {
        [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
        // With it, `zstd -d` notices damage by itself.
        [constants.ZSTD_c_checksumFlag]: 1,
      };
      return passing(source, createZstdCompress({ chunkSize: CHUNK_BYTES, params }));
    }
  }
}

/** Takes the compression back. A stream that is cut off or changed ends with an error that zlib throws. */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: StreamCompression,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return passing(source, createGunzip({ chunkSize: CHUNK_BYTES }));
    case 'zstd':
      return passing(source, createZstdDecompress({ chunkSize: CHUNK_BYTES }));
  }
}

// The pipeline closes either side when the other one fails or is left, and gives the reader the source's own error.
function passing(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  return pipeline(source, transform, () => undefined);
}
