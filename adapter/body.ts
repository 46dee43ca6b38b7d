import type { IncomingMessage } from 'node:http';
import type { ReceiveLimits } from './config.ts';

/** Counts the bytes of all bodies held at one time against a ceiling. */
export class BufferedBytes {
  readonly #ceiling: number;
  #held = 0;

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  get held(): number {
    return this.#held;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#held + bytes <= this.#ceiling;
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The bytes counted for one body: until the last of its holders, of which there is one at first, has let go. */
export class HeldBytes {
  readonly #room: BufferedBytes;
  #bytes = 0;
  #holders = 1;

  constructor(room: BufferedBytes) {
    this.#room = room;
  }

  add(bytes: number): void {
    this.#room.take(bytes);
    this.#bytes += bytes;
  }

  hold(): void {
    this.#holders += 1;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#room.release(this.#bytes);
  }
}

export type ReadBody =
  | { readonly kind: 'read'; readonly body: Buffer; readonly held: HeldBytes }
  | { readonly kind: 'too-large' | 'no-room' | 'aborted' };

const SLAB_BYTES = 16 * 1024;

/** The pieces of a body. Small ones are copied together: a Buffer of its own costs a kilobyte, whatever it holds. */
class Pieces {
  length = 0;
  readonly #pieces: Buffer[] = [];
  #slab: Buffer | undefined;
  #used = 0;

  /** The bytes of memory that holding `chunk` will take beyond what is held. */
  costOf(chunk: Buffer): number {
    if (!this.#isSmall(chunk)) return chunk.length;
    return this.#slab && this.#used + chunk.length <= SLAB_BYTES ? 0 : SLAB_BYTES;
  }

  add(chunk: Buffer): void {
    if (!this.#isSmall(chunk)) {
      this.#closeSlab();
      this.#pieces.push(chunk);
    } else {
      if (this.costOf(chunk) > 0) this.#closeSlab();
      this.#slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used += chunk.copy(this.#slab, this.#used);
    }
    this.length += chunk.length;
  }

  join(): Buffer {
    this.#closeSlab();
    const [first] = this.#pieces;
    return first && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.length);
  }

  #isSmall(chunk: Buffer): boolean {
    return this.length > 0 && chunk.length < SLAB_BYTES / 4;
  }

  #closeSlab(): void {
    if (this.#slab) this.#pieces.push(this.#slab.subarray(0, this.#used));
    this.#slab = undefined;
    this.#used = 0;
  }
}

/**
 * Reads a request's body as it came. Room is counted as bytes arrive, not as they are announced, so that a client which
 * announces much and sends nothing shuts nobody out; the reader lets go of `held` when it needs the body no more.
 */
export function readBody(request: IncomingMessage, limits: ReceiveLimits, room: BufferedBytes): Promise<ReadBody> {
  return new Promise((resolve) => {
    const pieces = new Pieces();
    const held = new HeldBytes(room);
    const end = (result: ReadBody) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (result.kind !== 'read') {
        held.letGo();
        request.pause();
      }
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      const cost = pieces.costOf(chunk);
      if (pieces.length + chunk.length > limits.bodyBytes) return end({ kind: 'too-large' });
      if (!room.hasRoomFor(cost)) return end({ kind: 'no-room' });
      held.add(cost);
      pieces.add(chunk);
    };
    const onEnd = () => end({ kind: 'read', body: pieces.join(), held });
    const onClose = () => end({ kind: 'aborted' });
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
