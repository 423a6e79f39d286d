/** The end of a command's output. */

/** How much of each output of a command is kept. */
const OUTPUT_BYTES = 1024 * 1024;

/** The end of a stream of bytes. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number = OUTPUT_BYTES) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Trimmed rarely, so a long output costs little.
    if (this.#bytes > 2 * this.#limit) {
      const kept = Buffer.concat(this.#chunks).subarray(-this.#limit);
      this.#chunks = [kept];
      this.#bytes = kept.length;
    }
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-this.#limit).toString('utf8');
  }
}

/** The last lines of a command's output, for a message. */
export function lastLines(text: string, lines = 5): string {
  return text.trim().split('\n').slice(-lines).join('\n');
}

/** A command's last words, as the end of a message. */
export function said(stderr: Tail): string {
  const text = lastLines(stderr.text());
  return text === '' ? '' : `; its last words: ${text}`;
}
