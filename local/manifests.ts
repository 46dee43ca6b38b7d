import { type Document, isMap, isNode, LineCounter, type ParsedNode, parseAllDocuments, type ScalarTag } from 'yaml';
import type { ObjectKind } from '../controller/objects.ts';
import { closestTo } from '../core/closest.ts';
import type { LocalKind } from './kinds.ts';
import type { Fault, Path } from './schema.ts';

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

/** What to change in a file; lines count from 1. */
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
  test: /^(?:[Yy]es|YES|[Oo]n|ON|[Nn]o|NO|[Oo]ff|OFF)$/,
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
    const lineOf = (fault: Pick<Fault, 'path' | 'atKey'>) => lines.linePos(offsetOf(document, fault)).line;
    const broken = [...document.errors, ...document.warnings];
    for (const error of broken)
      problems.push({ file, line: error.linePos?.[0].line ?? 1, message: firstLine(error.message) });
    const content: unknown = broken.length > 0 ? null : document.toJS({ maxAliasCount: 100 });
    for (const { raw, path } of objectsIn(content)) {
      const read = readObject(raw, kinds);
      if ('faults' in read) {
        problems.push(
          ...read.faults.map((fault) => ({
            file,
            line: lineOf({ ...fault, path: [...path, ...fault.path] }),
            message: fault.message,
          })),
        );
      } else if ('skipped' in read) skipped.push(read.skipped);
      else manifests.push({ ...read.manifest, file, line: lineOf({ path }) });
    }
  }
  return { manifests, problems, skipped };
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
  const { apiVersion, kind, metadata, spec, data, stringData } = raw as Raw;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    return oneFault([], 'apiVersion and kind must say what this is');
  const known = kinds.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (!known) return unknownKind({ apiVersion, kind }, kinds);
  if (metadata === undefined) return oneFault([], 'metadata.name is missing');
  const faults = known.validate(raw);
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

/** A kind that is ours in another version, or nearly, is a mistake; any other is none of ours. */
function unknownKind(given: ObjectKind, kinds: readonly LocalKind[]): Read {
  const group = (apiVersion: string) => apiVersion.split('/')[0];
  const ofGroup = kinds.filter(
    ({ apiVersion }) => group(apiVersion) === group(given.apiVersion) && apiVersion !== 'v1',
  );
  const sameKind = ofGroup.find(({ kind }) => kind === given.kind);
  if (sameKind)
    return oneFault(['apiVersion'], `${given.kind} is known here as ${sameKind.apiVersion}, not ${given.apiVersion}`);
  const close = closestTo(
    given.kind,
    ofGroup.map(({ kind }) => kind),
  );
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
function offsetOf(document: Document.Parsed, { path, atKey = false }: Pick<Fault, 'path' | 'atKey'>): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(name))
      : undefined;
    const key = pair?.key as ParsedNode | undefined;
    const value: unknown = document.getIn(path.slice(0, length), true);
    const node = atKey || !isNode(value) ? key : (key ?? value);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? document.range[0];
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}
