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

/**
 * Gives the memory of bytes that nobody will read back at once: the collector, to which they are one small object, comes
 * only after tens of megabytes more. Memory that is shared, as Node's pool is, stays.
 */
function freeMemoryOf({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** The bytes counted for one body: until the last of its holders, of which there is one at first, has let go. */
export class HeldBytes {
  readonly #room: BufferedBytes;
  #bytes = 0;
  #holders = 1;
  #body: Buffer | undefined;

  constructor(room: BufferedBytes) {
    this.#room = room;
  }

  add(bytes: number): void {
    this.#room.take(bytes);
    this.#bytes += bytes;
  }

  /** The memory of `body` goes when its only holder lets go. */
  own(body: Buffer): void {
    this.#body = body;
  }

  /** Counts the memory of `data` too, unless it is the body itself: the document of a form is a copy. */
  include(data: Buffer): void {
    if (data.buffer !== this.#body?.buffer) this.add(data.buffer.byteLength);
  }

  hold(): void {
    this.#holders += 1;
    // A second holder has it sent: a socket may read it even after the reply. Then only the collector knows the end.
    this.#body = undefined;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#room.release(this.#bytes);
    if (this.#body) freeMemoryOf(this.#body);
  }
}

export type ReadBody =
  | { readonly kind: 'read'; readonly body: Buffer; readonly held: HeldBytes }
  | { readonly kind: 'too-large' | 'no-room' | 'aborted' };

const SLAB_BYTES = 16 * 1024;

interface Piece {
  readonly memory: Buffer;
  used: number;
}

/** The pieces of a body. Small ones are copied together: a Buffer of its own costs a kilobyte, whatever it holds. */
class Pieces {
  length = 0;
  readonly #pieces: Piece[] = [];
  /** The last piece, if small ones go there. */
  #slab: Piece | undefined;

  /** The bytes of memory that holding `chunk` will take beyond what is held. */
  costOf(chunk: Buffer): number {
    if (!this.#isSmall(chunk)) return chunk.length;
    return this.#slabFor(chunk) ? 0 : SLAB_BYTES;
  }

  /** `chunk` belongs to the body from then on. */
  add(chunk: Buffer): void {
    const { length } = chunk;
    if (this.#isSmall(chunk)) {
      const slab = this.#slabFor(chunk) ?? this.#newSlab();
      slab.used += chunk.copy(slab.memory, slab.used);
      freeMemoryOf(chunk);
    } else {
      this.#slab = undefined;
      this.#pieces.push({ memory: chunk, used: length });
    }
    this.length += length;
  }

  /** The body; the pieces are gone. */
  join(): Buffer {
    const [first] = this.#pieces;
    if (first && this.#pieces.length === 1) return first.memory;
    const body = Buffer.allocUnsafeSlow(this.length);
    let length = 0;
    for (const { memory, used } of this.#pieces) {
      length += memory.copy(body, length, 0, used);
      freeMemoryOf(memory);
    }
    return body;
  }

  free(): void {
    for (const { memory } of this.#pieces) freeMemoryOf(memory);
  }

  #isSmall(chunk: Buffer): boolean {
    return this.length > 0 && chunk.length < SLAB_BYTES / 4;
  }

  #slabFor(chunk: Buffer): Piece | undefined {
    return this.#slab && this.#slab.used + chunk.length <= SLAB_BYTES ? this.#slab : undefined;
  }

  #newSlab(): Piece {
    this.#slab = { memory: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0 };
    this.#pieces.push(this.#slab);
    return this.#slab;
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
        pieces.free();
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
    const onEnd = () => {
      const body = pieces.join();
      held.own(body);
      end({ kind: 'read', body, held });
    };
    const onClose = () => end({ kind: 'aborted' });
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
