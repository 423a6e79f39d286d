/** One output of a far command, between the marks that `far-shell.ts` prints around it. */

export class MarkedOutput {
  readonly #begin: Buffer;
  readonly #mark: Buffer;
  #state: 'before' | 'within' | 'after' = 'before';
  /** Bytes that may be the beginning of a mark, and so can't be passed on yet. */
  #held: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
    this.#begin = Buffer.from(`${mark}\n`);
  }

  /** Whether the command began. */
  get hasBegun(): boolean {
    return this.#state !== 'before';
  }

  /** Whether all of the command's output has arrived. */
  get hasEnded(): boolean {
    return this.#state === 'after';
  }

  /** The output after the second mark, or everything before the first one if that hasn't arrived. */
  get rest(): string {
    return this.#held.toString('utf8');
  }

  /** Takes new output, and returns the part that belongs to the command. */
  take(chunk: Buffer): Buffer {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#state === 'before') {
      const begin = this.#held.indexOf(this.#begin);
      if (begin === -1) {
        this.#held = this.#held.subarray(-KEPT_BYTES);
        return NOTHING;
      }
      this.#state = 'within';
      this.#held = this.#held.subarray(begin + this.#begin.length);
    }
    if (this.#state === 'after') return NOTHING;
    const end = this.#held.indexOf(this.#mark);
    if (end === -1) return this.#give(this.#held.length - this.#partOfMark(), 0);
    this.#state = 'after';
    return this.#give(end, this.#mark.length);
  }

  #give(bytes: number, dropped: number): Buffer {
    const given = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes + dropped);
    return given;
  }

  /** How many bytes at the end may be the start of the mark. */
  #partOfMark(): number {
    for (let bytes = Math.min(this.#mark.length - 1, this.#held.length); bytes > 0; bytes -= 1) {
      if (this.#held.subarray(-bytes).equals(this.#mark.subarray(0, bytes))) return bytes;
    }
    return 0;
  }
}

const NOTHING = Buffer.alloc(0);
/** How much is kept of the output of a connection that was never made. */
const KEPT_BYTES = 64 * 1024;
