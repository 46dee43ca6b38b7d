import { readFile } from 'node:fs/promises';
import { type TSchema, Type } from 'typebox';
import { parse } from 'yaml';
import type { ObjectKind } from '../controller/objects.ts';
import { type Fault, type SchemaNode, validatorOf } from '../core/schema.ts';
import { filterFaults } from '../core/trigger-filter.ts';
import { namesOf } from '../sources/crd.ts';
import { ceOverrides, deliverySpec, destination, mapOf } from '../sources/fields.ts';
import { sources } from '../sources/registry.ts';

export const BROKER: ObjectKind = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' };
export const TRIGGER: ObjectKind = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger' };
export const CHANNEL: ObjectKind = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel' };
export const IN_MEMORY_CHANNEL: ObjectKind = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' };
export const SUBSCRIPTION: ObjectKind = { apiVersion: 'messaging.knative.dev/v1', kind: 'Subscription' };
export const SERVICE: ObjectKind = { apiVersion: 'v1', kind: 'Service' };
export const KNATIVE_SERVICE: ObjectKind = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
export const DEPLOYMENT: ObjectKind = { apiVersion: 'apps/v1', kind: 'Deployment' };
export const SINK_BINDING: ObjectKind = { apiVersion: 'sources.knative.dev/v1', kind: 'SinkBinding' };
export const SECRET: ObjectKind = { apiVersion: 'v1', kind: 'Secret' };

/** A kind local mode knows, and how its objects are judged. */
export interface LocalKind extends ObjectKind {
  readonly validate: (object: unknown) => Fault[];
}

const attributes = (description: string) => mapOf(Type.String(), 64, description);

const brokerSpec = Type.Object({
  config: Type.Optional(Type.Unsafe<object>({ type: 'object' })),
  delivery: Type.Optional(deliverySpec),
});

const triggerSpec = Type.Object({
  broker: Type.String({ minLength: 1 }),
  filter: Type.Optional(
    Type.Object({ attributes: Type.Optional(attributes('Attributes with exactly these values.')) }),
  ),
  // Filters nest: `filterFaults` judges them.
  filters: Type.Optional(Type.Array(Type.Unsafe<object>({ type: 'object' }))),
  subscriber: destination('Where matching events go.'),
  delivery: Type.Optional(deliverySpec),
});

/** Whatever the template is of, it is a Channel in memory here. */
const channelSpec = Type.Object({
  channelTemplate: Type.Optional(
    Type.Object({
      apiVersion: Type.String({ minLength: 1 }),
      kind: Type.String({ minLength: 1 }),
      spec: Type.Optional(Type.Unsafe<object>({ type: 'object' })),
    }),
  ),
  delivery: Type.Optional(deliverySpec),
});

const subscriptionSpec = Type.Object({
  channel: Type.Object({
    apiVersion: Type.String({ minLength: 1 }),
    kind: Type.String({ minLength: 1 }),
    name: Type.String({ minLength: 1 }),
  }),
  subscriber: destination('Where the events go.'),
  reply: Type.Optional(destination('Where the events go that the subscriber answers with.')),
  delivery: Type.Optional(deliverySpec),
});

const sinkBindingSpec = Type.Object({
  subject: Type.Object({
    apiVersion: Type.String({ minLength: 1 }),
    kind: Type.String({ minLength: 1 }),
    namespace: Type.Optional(Type.String()),
    name: Type.Optional(Type.String({ minLength: 1 })),
    selector: Type.Optional(
      Type.Object({ matchLabels: Type.Optional(mapOf(Type.String(), 64, 'Labels of the subjects.')) }),
    ),
  }),
  sink: destination('Where the subject sends events.'),
  ceOverrides: Type.Optional(ceOverrides),
});

const text = { type: 'string' };
/** What the API server takes as metadata, as far as people write it. */
const metadata = {
  type: 'object',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
      maxLength: 253,
    },
    namespace: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63 },
    labels: { type: 'object', additionalProperties: text },
    annotations: { type: 'object', additionalProperties: text },
    uid: { type: 'string', pattern: '^[A-Za-z0-9-]+$' },
    finalizers: { type: 'array', items: text },
    // What kubectl get prints, and kubectl apply takes and passes over.
    creationTimestamp: text,
    generation: { type: 'integer' },
    resourceVersion: text,
    selfLink: text,
    managedFields: { type: 'array', items: { type: 'object' } },
    ownerReferences: { type: 'array', items: { type: 'object' } },
  },
};

function knownKind(
  kind: ObjectKind,
  members: Readonly<Record<string, object>>,
  required: readonly string[] = [],
): LocalKind {
  const properties = { apiVersion: text, kind: text, metadata, status: { type: 'object' }, ...members };
  // JSON as it is: typebox keeps things of its own in its schemas.
  const schema = JSON.parse(JSON.stringify({ type: 'object', required, properties })) as SchemaNode;
  return { ...kind, validate: validatorOf(schema) };
}

/** What a structural schema cannot say; asked only when the schema holds. */
function judgedFurther({ validate, ...kind }: LocalKind, judge: (object: unknown) => Fault[]): LocalKind {
  return {
    ...kind,
    validate: (object) => {
      const faults = validate(object);
      return faults.length > 0 ? faults : judge(object);
    },
  };
}

/** Whole groups of four, broken into lines or not. */
const base64 = {
  type: 'string',
  pattern: '^\\s*(([A-Za-z0-9+/]\\s*){4})*(([A-Za-z0-9+/]\\s*){2}(=\\s*){2}|([A-Za-z0-9+/]\\s*){3}=\\s*)?$',
  description: 'Base64; plain text goes into stringData',
};
const anything = { type: 'object' };
const withSpec = (spec: TSchema) => ({ spec });

/** The kinds of local mode; source kinds are judged by the definitions in `crds/` themselves. */
export async function localKinds(): Promise<readonly LocalKind[]> {
  return [
    knownKind(SECRET, {
      type: text,
      immutable: { type: 'boolean' },
      data: { type: 'object', additionalProperties: base64 },
      stringData: { type: 'object', additionalProperties: text },
    }),
    knownKind(BROKER, withSpec(brokerSpec)),
    judgedFurther(knownKind(TRIGGER, withSpec(triggerSpec), ['spec']), (trigger) => {
      const { filters = [] } = (trigger as { spec: { filters?: object[] } }).spec;
      return filterFaults(filters, ['spec', 'filters']);
    }),
    knownKind(CHANNEL, withSpec(channelSpec)),
    knownKind(IN_MEMORY_CHANNEL, withSpec(Type.Omit(channelSpec, ['channelTemplate']))),
    knownKind(SUBSCRIPTION, withSpec(subscriptionSpec), ['spec']),
    knownKind(SERVICE, { spec: anything }),
    knownKind(KNATIVE_SERVICE, { spec: anything }),
    knownKind(DEPLOYMENT, { spec: anything }),
    knownKind(SINK_BINDING, withSpec(sinkBindingSpec), ['spec']),
    ...(await Promise.all(sources.map(sourceKind))),
  ];
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: SchemaNode } }[];
  };
}

async function sourceKind(source: (typeof sources)[number]): Promise<LocalKind> {
  const file = new URL(`../crds/${namesOf(source).crd}.yaml`, import.meta.url);
  const { spec } = parse(await readFile(file, 'utf8')) as Definition;
  const version = spec.versions[0];
  const schema = version?.schema.openAPIV3Schema ?? {};
  // An API server checks metadata by itself, and leaves status to whoever may write it.
  const properties = { ...schema.properties, metadata: metadata as SchemaNode, status: anything };
  return {
    apiVersion: `${spec.group}/${version?.name}`,
    kind: source.kind,
    validate: validatorOf({ ...schema, properties }),
  };
}
