/** What a List of the API says of itself. */
export interface ListMetadata {
  readonly resourceVersion: string;
  /** Where the next page begins. */
  readonly continue?: string;
}

/**
 * Reads a List as its bytes come, and holds no more of it than one item: in an annotation of each, `kubectl apply` may
 * keep a quarter of a megabyte.
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
        at = this.#endOfString(chunk, at);
      } else if (byte === QUOTE) {
        this.#isInString = true;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#depth += 1;
        if (this.#isInItems && this.#depth === ITEM_DEPTH) from = at;
        if (byte === OPEN_ARRAY && this.#depth === ITEM_DEPTH - 1) {
          this.#around.push(chunk.subarray(from, at + 1));
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
    if (!this.#isInItems) this.#around.push(chunk.subarray(from));
    else if (this.#depth >= ITEM_DEPTH) this.#item.push(chunk.subarray(from));
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

function textOf(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('utf8');
}
