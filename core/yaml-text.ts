import {
  type Document,
  isMap,
  isNode,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type ScalarTag,
  visit,
} from 'yaml';
import { messageOf } from './errors.ts';
import type { Path } from './schema.ts';

/** A place in one text; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Mistake extends Position {
  readonly message: string;
}

/** One document of a YAML or JSON text. */
export interface TextDocument {
  /** As JSON would have it; undefined and null: there is nothing in it. */
  readonly content: unknown;
  /** Where the thing at `path` stands, or what is nearest to it. */
  readonly positionOf: (path: Path) => Position;
}

/** go-yaml, which kubectl reads with, takes these words of YAML 1.1 as booleans. */
const yesAndNo: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: (value) => typeof value === 'boolean',
  test: /^(?:[Yy]|[Yy]es|YES|[Oo]n|ON|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/,
  resolve: (text) => /^(y|on)/i.test(text),
};

export interface ReadOptions {
  /** As kubectl reads: `yes`, `no`, `on` and `off` are booleans, also where they are names. */
  readonly likeKubectl: boolean;
}

/** Reads the documents of one YAML or JSON text; of one that cannot be read, why. */
export function readDocuments(
  text: string,
  { likeKubectl }: ReadOptions,
): readonly (TextDocument | { readonly mistakes: readonly Mistake[] })[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [...(likeKubectl ? [yesAndNo] : []), ...tags.filter((tag) => tag !== 'timestamp')],
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  return (Array.isArray(documents) ? documents : []).map((document) => {
    const parsed = contentOf(document);
    if ('faults' in parsed)
      return { mistakes: parsed.faults.map(({ offset, message }) => ({ ...positionAt(offset), message })) };
    return { content: parsed.content, positionOf: (path) => positionAt(offsetOf(document, path)) };
  });
}

/** One mistake brings others after it; the first ones tell. */
const MOST_MISTAKES = 5;

interface Fault {
  /** Where in the text. */
  readonly offset: number;
  readonly message: string;
}

/** A document as JSON would have it, or why it cannot be read. */
function contentOf(document: Document.Parsed): { content: unknown } | { faults: readonly Fault[] } {
  const faults: Fault[] = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message: firstLine(message),
  }));
  const anchors = new Set<string>();
  visit(document, {
    Value: (_key, { anchor }) => void (anchor !== undefined && anchors.add(anchor)),
    Alias: (_key, { source, range }) => {
      if (!anchors.has(source))
        faults.push({ offset: range?.[0] ?? 0, message: `there is no anchor &${source} before this alias` });
    },
  });
  if (faults.length > 0) return { faults: faults.slice(0, MOST_MISTAKES) };
  try {
    // What an alias repeats is written out, which one that holds itself cannot be.
    return { content: JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 }))) };
  } catch (error) {
    return { faults: [{ offset: offsetOf(document, []), message: firstLine(messageOf(error)) }] };
  }
}

/** Where in the text the thing at `path` stands, or what is nearest to it. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(name))
      : undefined;
    const key = pair?.key as ParsedNode | undefined;
    const value: unknown = document.getIn(path.slice(0, length), true);
    const node = key ?? value;
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? document.range[0];
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}
