/** Compresses a stream of bytes; `zstd -d` and `gunzip` read the result. */
import { pipeline, type Transform, type TransformOptions } from 'node:stream';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  type ZstdOptions,
} from 'node:zlib';
import type { ManifestArtifact } from '../../domain/format/manifest.ts';

export type StreamCompression = ManifestArtifact['compression'];

const CHUNK_BYTES = 256 * 1024;
/** How much may wait for the compressor, which works while the next bytes are read and hashed. */
const AHEAD_BYTES = 4 * 1024 * 1024;
/** On the benchmark's objects zstd's default level, 3, takes two thirds more time and saves nothing. */
const ZSTD_LEVEL = 1;

/** Compresses a stream, off the main thread. */
export function compress(source: AsyncIterable<Uint8Array>, compression: StreamCompression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return passing(source, createGzip({ chunkSize: CHUNK_BYTES }));
    case 'zstd': {
      // ZSTD_c_nbWorkers is not set: with it Node 24.21 ends the process with "stream.push() after EOF".
      const params = {
        [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
        // With the checksum, `zstd -d` itself detects damage.
        [constants.ZSTD_c_checksumFlag]: 1,
      };
      const options: ZstdOptions & TransformOptions = {
        chunkSize: CHUNK_BYTES,
        writableHighWaterMark: AHEAD_BYTES,
        params,
      };
      return passing(source, createZstdCompress(options));
    }
  }
}

/** Decompresses a stream. A truncated or changed stream ends with an error from zlib. */
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

// The pipeline closes either side when the other one fails or is abandoned, and gives the reader the source's own
// error.
function passing(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  return pipeline(source, transform, () => undefined);
}
