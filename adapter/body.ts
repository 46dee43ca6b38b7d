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

export type ReadBody =
  | { readonly kind: 'read'; readonly body: Buffer; readonly release: () => void }
  | { readonly kind: 'too-large' | 'no-room' | 'aborted' };

/** What a chunk costs beside its bytes; without it a body of one-byte chunks would hold far more than is counted. */
const CHUNK_OVERHEAD = 256;

/**
 * Reads a request's body as it came. Room is counted as bytes arrive, not as they are announced, so that a client which
 * announces much and sends nothing shuts nobody out; the reader calls `release` when it needs the body no more.
 */
export function readBody(request: IncomingMessage, limits: ReceiveLimits, room: BufferedBytes): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let taken = 0;
    const release = () => {
      room.release(taken);
      taken = 0;
    };
    const end = (result: ReadBody) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (result.kind !== 'read') {
        release();
        request.pause();
      }
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      const cost = chunk.length + CHUNK_OVERHEAD;
      length += chunk.length;
      if (length > limits.bodyBytes) return end({ kind: 'too-large' });
      if (!room.hasRoomFor(cost)) return end({ kind: 'no-room' });
      room.take(cost);
      taken += cost;
      chunks.push(chunk);
    };
    const onEnd = () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
      end({ kind: 'read', body, release });
    };
    const onClose = () => end({ kind: 'aborted' });
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
