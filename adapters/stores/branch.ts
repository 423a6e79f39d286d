/**
 * The way of a stream into one of several stores: a bounded queue between the stream's reader and the store's `put`.
 */

export interface Branch {
  /** The stream that the store reads. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Nobody reads it any more; pushed chunks are dropped. */
  readonly closed: boolean;
  /** Whether another chunk may be pushed. */
  readonly hasRoom: boolean;
  push: (chunk: Uint8Array) => void;
  /** Resolves when there is room, or when it is closed. */
  room: () => Promise<void>;
  /** The stream has ended successfully. */
  end: () => void;
  /** The stream has failed, or the store is given up: the reader gets that error at once, whatever is still queued. */
  fail: (error: unknown) => void;
}

/**
 * @param bufferBytes there is room while fewer bytes than this are queued
 */
export function newBranch(bufferBytes: number): Branch {
  const queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let ended = false;
  let closed = false;
  let failure: { cause: unknown } | undefined;
  let onData: (() => void) | undefined;
  let onRoom: (() => void) | undefined;

  function close(): void {
    closed = true;
    queue.length = 0;
    queuedBytes = 0;
    onRoom?.();
  }

  function hasRoom(): boolean {
    return closed || queuedBytes < bufferBytes;
  }

  async function* body(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (failure) throw failure.cause;
        const chunk = queue.shift();
        if (chunk) {
          queuedBytes -= chunk.length;
          if (hasRoom()) onRoom?.();
          yield chunk;
        } else if (ended) {
          return;
        } else {
          await new Promise<void>((resolve) => (onData = resolve));
        }
      }
    } finally {
      close();
    }
  }

  return {
    body: body(),
    get closed() {
      return closed;
    },
    get hasRoom() {
      return hasRoom();
    },
    push(chunk) {
      if (closed) return;
      queue.push(chunk);
      queuedBytes += chunk.length;
      onData?.();
    },
    room() {
      return hasRoom() ? Promise.resolve() : new Promise((resolve) => (onRoom = resolve));
    },
    end() {
      ended = true;
      onData?.();
    },
    fail(error) {
      failure ??= { cause: error };
      close();
      onData?.();
    },
  };
}
