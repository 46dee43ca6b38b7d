import type { TextDocument } from '../core/yaml-text.ts';
import { isObject, type JsonObject, type Located, located, textOf } from './definition-text.ts';
import type { Workflow } from './model.ts';
import { type EventsOfDefinition, eventsOfStates } from './states.ts';
import { eventsOfTasks } from './tasks.ts';

/** A workflow definition as it was found in a file. */
export interface Definition {
  readonly language: Workflow['language'];
  readonly text: Located;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly version: string | undefined;
  /** Whether it stands in an object of Kubernetes. */
  readonly isObject: boolean;
}

/** The definition that a document is; undefined: it is something else. */
export function definitionIn(file: string, { content, ...document }: TextDocument): Definition | undefined {
  if (!isObject(content)) return undefined;
  const whole = (base: readonly string[], inner: JsonObject) => located(file, { content, ...document }, base, inner);
  if (isSonataFlow(content)) return sonataFlow(content, whole);
  const { document: about, states } = content;
  if (isObject(about) && 'dsl' in about) {
    const { name, namespace, version } = about;
    const called = { name: textOf(name) ?? file, namespace: textOf(namespace), version: textOf(version) };
    return { language: '1.0', isObject: false, text: whole([], content), ...called };
  }
  const id = textOf(content['id']) ?? textOf(content['key']) ?? textOf(content['name']);
  if (!Array.isArray(states) || id === undefined) return undefined;
  return {
    language: '0.8',
    isObject: false,
    text: whole([], content),
    name: id,
    namespace: undefined,
    version: textOf(content['version']),
  };
}

function isSonataFlow({ apiVersion, kind }: JsonObject): boolean {
  return String(apiVersion).startsWith('sonataflow.org/') && kind === 'SonataFlow';
}

/** The definition of a SonataFlow stands in `spec.flow`; its id is the object's name, its version an annotation. */
function sonataFlow(
  { metadata, spec }: JsonObject,
  whole: (base: readonly string[], inner: JsonObject) => Located,
): Definition | undefined {
  const flow = isObject(spec) && spec['flow'];
  const name = isObject(metadata) && textOf(metadata['name']);
  if (!isObject(flow) || !isObject(metadata) || !name) return undefined;
  const { namespace, annotations } = metadata;
  const version = textOf(isObject(annotations) && annotations['sonataflow.org/version']);
  const text = whole(['spec', 'flow'], flow);
  return { language: '0.8', isObject: true, text, name, namespace: textOf(namespace), version };
}

/** `events`: of a 0.8 definition that has its events in a file of their own, that file. */
export function workflowOf(definition: Definition, events?: Located): Workflow & Pick<EventsOfDefinition, 'warnings'> {
  const { language, text, name, namespace, version } = definition;
  const { consumes, emits, warnings } = language === '0.8' ? eventsOfStates(text, events) : eventsOfTasks(text);
  return {
    name,
    namespace,
    version,
    language,
    place: text.placeOf([]),
    definition: text.content,
    consumes,
    emits,
    warnings,
  };
}

/** Where the events of a 0.8 definition are, if they are not in it; `path` where that is a file. */
export function eventsElsewhere({ language, text }: Definition): { uri: string; path: string | undefined } | undefined {
  const uri = language === '0.8' ? textOf(text.content['events']) : undefined;
  if (uri === undefined) return undefined;
  const path = /^(?:file:(?:\/\/)?)?([^:]+)$/.exec(uri)?.[1];
  return { uri, path };
}
