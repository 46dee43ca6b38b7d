import { createHash, type Hash } from 'node:crypto';

/** What a List of the API says of itself. */
export interface ListMetadata {
  readonly resourceVersion: string;
  /** Where the next page begins. */
  readonly continue?: string;
}

/**
 * Reads a List as its bytes come, and holds no more of it than one item, where a digest stands for each long text: in
 * an annotation of each, `kubectl apply` may keep a quarter of a megabyte, and even what is parsed and dropped at once
 * is in memory until it is collected.
 * @throws SyntaxError when it is no JSON, or not all of it came
 */
export async function readList(
  chunks: AsyncIterable<Uint8Array>,
  onItem: (item: unknown) => void,
): Promise<ListMetadata> {
  const cutter = new ItemCutter((text) => onItem(JSON.parse(text)));
  for await (const chunk of chunks) cutter.take(chunk);
  return (JSON.parse(cutter.around) as { metadata: ListMetadata }).metadata;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Of what is in the array `items`, the only one in a List outside of its items. */
const ITEM_DEPTH = 3;
/** In bytes of an item's JSON; names have 253 characters at most. */
export const LONGEST_TEXT = 4096;

/** Cuts the items out of a List: none of the bytes looked for is part of a longer UTF-8 character. */
class ItemCutter {
  readonly #onItem: (text: string) => void;
  readonly #around: Uint8Array[] = [];
  #item: Uint8Array[] = [];
  #depth = 0;
  #isInItems = false;
  #isInString = false;
  /** Whether the string goes on with a character that was escaped at the end of the chunk before. */
  #isEscaped = false;
  /** The string of an item that is being read, while it is not long. */
  #text: Uint8Array[] = [];
  #textLength = 0;
  /** Of the string of an item that is being read, once it is long. */
  #digest: Hash | undefined;

  constructor(onItem: (text: string) => void) {
    this.#onItem = onItem;
  }

  /** The List with no items. */
  get around(): string {
    return textOf(this.#around);
  }

  take(chunk: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#isInString) {
        const start = at;
        at = this.#endOfString(chunk, at);
        if (!this.#isInItem) continue;
        this.#item.push(copyOf(chunk, from, start));
        this.#takeText(chunk.subarray(start, at));
        from = at;
      } else if (byte === QUOTE) {
        this.#isInString = true;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#depth += 1;
        if (this.#isInItems && this.#depth === ITEM_DEPTH) from = at;
        if (byte === OPEN_ARRAY && this.#depth === ITEM_DEPTH - 1) {
          this.#around.push(copyOf(chunk, from, at + 1));
          this.#isInItems = true;
        }
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth -= 1;
        if (this.#isInItems && this.#depth === ITEM_DEPTH - 1) this.#endItem(chunk.subarray(from, at + 1));
        if (this.#isInItems && this.#depth === ITEM_DEPTH - 2) {
          from = at;
          this.#isInItems = false;
        }
      }
    }
    if (!this.#isInItems) this.#around.push(copyOf(chunk, from));
    else if (this.#isInItem) this.#item.push(copyOf(chunk, from));
  }

  get #isInItem(): boolean {
    return this.#isInItems && this.#depth >= ITEM_DEPTH;
  }

  /** A piece of a string of an item, the last one when it is left. */
  #takeText(piece: Uint8Array): void {
    this.#textLength += piece.length;
    if (this.#textLength <= LONGEST_TEXT) {
      this.#text.push(Buffer.from(piece));
    } else {
      this.#digest ??= createHash('sha256').update(Buffer.concat(this.#text));
      this.#digest.update(piece);
    }
    if (this.#isInString) return;
    this.#item.push(...(this.#digest ? [Buffer.from(this.#digest.digest('hex'))] : this.#text));
    this.#text = [];
    this.#textLength = 0;
    this.#digest = undefined;
  }

  #endItem(last: Uint8Array): void {
    this.#onItem(textOf([...this.#item, last]));
    this.#item = [];
  }

  /** Where its closing quote is, or the end of the chunk. */
  #endOfString(chunk: Uint8Array, start: number): number {
    let from = start;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from);
      const end = quote === -1 ? chunk.length : quote;
      let unescaped = end;
      while (unescaped > from && chunk[unescaped - 1] === BACKSLASH) unescaped -= 1;
      const carried = unescaped === from && this.#isEscaped ? 1 : 0;
      const isEscaped = (end - unescaped + carried) % 2 === 1;
      this.#isEscaped = quote === -1 && isEscaped;
      this.#isInString = quote === -1 || isEscaped;
      if (quote === -1 || !isEscaped) return end;
      from = quote + 1;
    }
  }
}

/** A copy: the memory of a chunk is given back when the next one comes. */
function copyOf(chunk: Uint8Array, from: number, to?: number): Uint8Array {
  return Buffer.from(chunk.subarray(from, to));
}

function textOf(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('utf8');
}
