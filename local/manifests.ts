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
import type { ObjectKind } from '../controller/objects.ts';
import { closestTo } from '../core/closest.ts';
import { messageOf } from '../core/errors.ts';
import type { LocalKind } from './kinds.ts';
import { type Fault, type Path, withoutNulls } from './schema.ts';

/** One object of a file, valid by its kind. */
export interface LocalManifest extends ObjectKind {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string | undefined;
    readonly labels?: Record<string, string> | undefined;
    readonly annotations?: Record<string, string> | undefined;
  };
  readonly spec?: object | undefined;
  /** Of a Secret: its values by key. */
  readonly data?: ReadonlyMap<string, Buffer>;
  readonly file: string;
  readonly line: number;
}

/** What to change in a file; lines count from 1, and 0 is the file itself. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface ManifestText {
  readonly manifests: readonly LocalManifest[];
  readonly problems: readonly Problem[];
  /** Objects of kinds that local mode does not know. */
  readonly skipped: readonly ObjectKind[];
}

/** go-yaml, which kubectl reads with, takes these words of YAML 1.1 as booleans. */
const yesAndNo: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: (value) => typeof value === 'boolean',
  test: /^(?:[Yy]|[Yy]es|YES|[Oo]n|ON|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/,
  resolve: (text) => /^(y|on)/i.test(text),
};

interface Raw {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: Partial<LocalManifest['metadata']> & { readonly name: string };
  readonly spec?: object;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly items?: readonly unknown[];
}

/** Reads the objects of one YAML or JSON text. When there is any problem, nothing of it should be applied. */
export function readManifests(text: string, file: string, kinds: readonly LocalKind[]): ManifestText {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [yesAndNo, ...tags.filter((tag) => tag !== 'timestamp')],
  });
  const manifests: LocalManifest[] = [];
  const problems: Problem[] = [];
  const skipped: ObjectKind[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const lineOf = (path: Path) => lines.linePos(offsetOf(document, path)).line;
    const parsed = contentOf(document);
    if ('mistakes' in parsed) {
      for (const { offset, message } of parsed.mistakes)
        problems.push({ file, line: lines.linePos(offset).line, message });
      continue;
    }
    for (const { raw, path } of objectsIn(parsed.content)) {
      const read = readObject(raw, kinds);
      if ('faults' in read) {
        problems.push(
          ...read.faults.map((fault) => ({
            file,
            line: lineOf([...path, ...fault.path]),
            message: fault.message,
          })),
        );
      } else if ('skipped' in read) skipped.push(read.skipped);
      else manifests.push({ ...read.manifest, file, line: lineOf(path) });
    }
  }
  return { manifests, problems: problems.toSorted((a, b) => a.line - b.line), skipped };
}

/** One mistake brings others after it; the first ones tell. */
const MOST_MISTAKES = 5;

interface Mistake {
  /** Where in the text. */
  readonly offset: number;
  readonly message: string;
}

/** A document as JSON would have it, or why it cannot be read. */
function contentOf(document: Document.Parsed): { content: unknown } | { mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message: firstLine(message),
  }));
  const anchors = new Set<string>();
  visit(document, {
    Value: (_key, { anchor }) => void (anchor !== undefined && anchors.add(anchor)),
    Alias: (_key, { source, range }) => {
      if (!anchors.has(source))
        mistakes.push({ offset: range?.[0] ?? 0, message: `there is no anchor &${source} before this alias` });
    },
  });
  if (mistakes.length > 0) return { mistakes: mistakes.slice(0, MOST_MISTAKES) };
  try {
    // What an alias repeats is written out, which one that holds itself cannot be.
    return { content: JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 }))) };
  } catch (error) {
    return { mistakes: [{ offset: offsetOf(document, []), message: firstLine(messageOf(error)) }] };
  }
}

/** The objects of a document: itself, or what a List holds. */
function objectsIn(content: unknown): { raw: unknown; path: Path }[] {
  if (content === null || content === undefined) return [];
  const { kind, items } = (typeof content === 'object' ? content : {}) as Raw;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ raw: content, path: [] }];
  return items.map((raw: unknown, index) => ({ raw, path: ['items', index] }));
}

type Read = { manifest: Omit<LocalManifest, 'file' | 'line'> } | { skipped: ObjectKind } | { faults: readonly Fault[] };

function readObject(raw: unknown, kinds: readonly LocalKind[]): Read {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return oneFault([], 'this is no Kubernetes object: it needs apiVersion, kind and metadata');
  const object = withoutNulls(raw);
  const { apiVersion, kind, metadata, spec, data, stringData } = object as Raw;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    return oneFault([], 'apiVersion and kind must say what this is');
  const known = kinds.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (!known) return unknownKind({ apiVersion, kind }, kinds);
  if (metadata === undefined) return oneFault([], 'metadata.name is missing');
  const faults = known.validate(object);
  if (faults.length > 0) return { faults };
  const { name, namespace = 'default', uid, labels, annotations } = metadata;
  const isSecret = data !== undefined || stringData !== undefined;
  return {
    manifest: {
      apiVersion,
      kind,
      metadata: { name, namespace, uid, labels, annotations },
      spec,
      ...(isSecret && { data: valuesOf(data, stringData) }),
    },
  };
}

function oneFault(path: Path, message: string): { faults: readonly Fault[] } {
  return { faults: [{ path, message }] };
}

/** A kind that is ours in another version, or but for a letter, is a mistake; any other is none of ours. */
function unknownKind(given: ObjectKind, kinds: readonly LocalKind[]): Read {
  const group = (apiVersion: string) => apiVersion.split('/')[0];
  const ofGroup = kinds.filter(({ apiVersion }) => group(apiVersion) === group(given.apiVersion));
  const sameKind = ofGroup.find(({ kind }) => kind === given.kind);
  if (sameKind)
    return oneFault(['apiVersion'], `${given.kind} is known here as ${sameKind.apiVersion}, not ${given.apiVersion}`);
  const names = ofGroup.map(({ kind }) => kind);
  const close = closestTo(given.kind, names, 1);
  if (close !== undefined)
    return oneFault(['kind'], `there is no kind ${given.kind} in ${given.apiVersion}; did you mean ${close}?`);
  return { skipped: given };
}

/** As the API server: `stringData` wins. */
function valuesOf(data: Raw['data'] = {}, stringData: Raw['stringData'] = {}): ReadonlyMap<string, Buffer> {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  const plain = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value, 'utf8')] as const);
  return new Map([...encoded, ...plain]);
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
