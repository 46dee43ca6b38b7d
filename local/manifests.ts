import type { ObjectKind } from '../controller/objects.ts';
import { closestTo } from '../core/closest.ts';
import type { Problem } from '../core/problem.ts';
import { type Fault, type Path, withoutNulls } from '../core/schema.ts';
import { readDocuments } from '../core/yaml-text.ts';
import type { LocalKind } from './kinds.ts';

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
  /** Of two with one name the higher counts, and nothing is said of it; 0 where absent. */
  readonly precedence?: 1 | -1;
}

export interface ManifestText {
  readonly manifests: readonly LocalManifest[];
  readonly problems: readonly Problem[];
  /** Objects of kinds that local mode does not know. */
  readonly skipped: readonly ObjectKind[];
}

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
  const manifests: LocalManifest[] = [];
  const problems: Problem[] = [];
  const skipped: ObjectKind[] = [];
  for (const document of readDocuments(text, { likeKubectl: true })) {
    if ('mistakes' in document) {
      problems.push(...document.mistakes.map(({ line, message }) => ({ file, line, message })));
      continue;
    }
    const lineOf = (path: Path) => document.positionOf(path).line;
    for (const { raw, path } of objectsIn(document.content)) {
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
