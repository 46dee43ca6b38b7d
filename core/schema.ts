import { parse as parseRule } from '@marcbachmann/cel-js';
import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import { didYouMean } from './closest.ts';

/** A node of a structural schema, as custom resource definitions hold it. */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { rule: string; message?: string; fieldPath?: string }[];
}

export type Path = readonly (string | number)[];

/** What is wrong with an object. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
}

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
formats.default(ajv, ['date-time']);
// Go's url.ParseRequestURI, which the API server asks: an absolute URL or an absolute path.
ajv.addFormat('uri', (text) => /^([A-Za-z][A-Za-z0-9+.-]*:\S+|\/\S*)$/.test(text));
ajv.addFormat('int64', true);

/**
 * Judges as the API server does with `--validate=strict`: schema, CEL rules, unknown fields; null counts as absent.
 * Rules are asked only when the schema holds.
 */
export function validatorOf(schema: SchemaNode): (value: unknown) => Fault[] {
  const isValid = ajv.compile(closed(schema));
  return (value) => {
    const given = withoutNulls(value);
    if (isValid(given)) return brokenRules(schema, given, []);
    return (isValid.errors ?? []).map((error) => faultOf(error));
  };
}

/** `spec.eventTypes[0]` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** A structural schema cannot say that there are no other fields, so here it is said for it. */
export function closed(node: SchemaNode): object {
  const { properties, additionalProperties, items, 'x-kubernetes-int-or-string': intOrString, ...rest } = node;
  if (intOrString) return { type: ['integer', 'string'] };
  return {
    ...rest,
    ...(properties && { properties: mapValues(properties, closed), additionalProperties: false }),
    ...(additionalProperties && { additionalProperties: closed(additionalProperties) }),
    ...(items && { items: closed(items) }),
  };
}

function mapValues<Value>(object: Readonly<Record<string, Value>>, map: (value: Value) => object): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}

/** As the API server reads an object: a field that is null is not there. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const given = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(given.map(([name, member]) => [name, withoutNulls(member)]));
}

function faultOf({ keyword, instancePath, params, parentSchema, message, data }: ErrorObject): Fault {
  const path = pathOf(instancePath);
  const at = pathText(path) || 'the object';
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys((parentSchema as SchemaNode).properties ?? {});
      const hint = didYouMean(name, known) || `; known here: ${known.toSorted().join(', ')}`;
      return { path: [...path, name], message: `unknown field ${pathText([...path, name])}${hint}` };
    }
    case 'required':
      return { path, message: `${pathText([...path, String(params['missingProperty'])])} is missing` };
    case 'type':
      return { path, message: `${at} must be ${articled(params['type'])}, not ${articled(typeOf(data))}` };
    case 'enum':
      return { path, message: `${at} must be one of ${(params['allowedValues'] as string[]).join(', ')}` };
    case 'pattern': {
      const { description } = parentSchema as { description?: string };
      return { path, message: `${at} ${message}${description === undefined ? '' : ` (${description})`}` };
    }
    default:
      return { path, message: `${at} ${message}` };
  }
}

/** What a JSON pointer (RFC 6901) leads to; a number may be an index. */
export function pathOf(pointer: string): Path {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => {
    const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return /^\d+$/.test(text) ? Number(text) : text;
  });
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function articled(type: unknown): string {
  const name = String(type).replace(',', ' or ');
  return /^[aeio]/.test(name) ? `an ${name}` : `a ${name}`;
}

function brokenRules(node: SchemaNode, value: unknown, path: Path): Fault[] {
  if (value === undefined) return [];
  const here = (node['x-kubernetes-validations'] ?? [])
    .filter(({ rule }) => parseRule(rule)({ self: value }) !== true)
    .map(({ rule, message = `failed rule: ${rule}`, fieldPath = '' }) => {
      const at: Path = [...path, ...fieldPath.split('.').filter(Boolean)];
      return { path: at, message: `${pathText(at)}: ${message}` };
    });
  return [
    ...here,
    ...childrenOf(node, value).flatMap(([child, member, name]) => brokenRules(child, member, [...path, name])),
  ];
}

function childrenOf(node: SchemaNode, value: unknown): (readonly [SchemaNode, unknown, string | number])[] {
  const { items, properties = {}, additionalProperties } = node;
  if (Array.isArray(value)) return items ? value.map((member, index) => [items, member, index] as const) : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const child = properties[name] ?? additionalProperties;
    return child ? [[child, member, name] as const] : [];
  });
}
