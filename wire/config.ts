import { type Static, Type } from 'typebox';
import { brokerDelivery, mapOf, oneOf, rule } from '../sources/fields.ts';

/** What `wire.yaml` says: that which no workflow definition can. One file describes one set of objects. */

/** RFC 1123 label: also what a label's value and most names of Kubernetes objects may be. */
const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const TEXT_LENGTH = 2048;

const dnsLabel = (description: string) =>
  Type.String({ pattern: DNS_LABEL, maxLength: 63, description: `${description} Lower-case letters, digits and "-".` });
const text = (description: string, options: object = {}) =>
  Type.String({ minLength: 1, maxLength: TEXT_LENGTH, description, ...options });

const broker = Type.Object(
  {
    name: Type.Optional(dnsLabel('Name of the Broker; default where absent.')),
    namespace: Type.Optional(dnsLabel('Its namespace, and so that of all Triggers; that of the set where absent.')),
    create: Type.Optional(
      Type.Boolean({ description: 'Whether the Broker belongs to the set. Where false or absent, it must be there.' }),
    ),
    class: Type.Optional(
      text('Annotation eventing.knative.dev/broker.class, such as Kafka; MTChannelBasedBroker where absent.'),
    ),
    config: Type.Optional(
      Type.Object(
        {
          apiVersion: text('API version of the object, such as v1.'),
          kind: text('Kind of the object, such as ConfigMap.'),
          name: text('Name of the object.'),
          namespace: Type.Optional(text('Namespace of the object.')),
        },
        { description: "spec.config of the Broker; with `create`, for what the cluster's default does not do." },
      ),
    ),
    url: Type.Optional(
      text('Where the Broker takes events, for K_SINK of Knative Services; as its class has it where absent.', {
        pattern: '^https?://[^/]',
      }),
    ),
  },
  { description: 'The Broker all events of the set go through.' },
);

const source = Type.Object(
  {
    kind: text('Kind of the source, as in its manifest.'),
    name: Type.Optional(dnsLabel('Name of the source object; made of `repository` where absent.')),
    repository: text(
      "What the provider's webhook belongs to, as the kind's own spec has it, such as owner/repository.",
    ),
    secret: Type.Optional(
      dnsLabel(
        'The Secret whose keys accessToken (may manage webhooks) and secretToken (signs deliveries) the source uses.',
      ),
    ),
    eventTypes: Type.Optional(
      Type.Array(text("A name of the provider's, such as pull_request."), {
        maxItems: 1024,
        description: 'Events the webhook is asked for beside those that workflows consume.',
      }),
    ),
    fixed: Type.Optional(
      Type.Boolean({
        description:
          'true: the webhook is asked for `eventTypes` alone, whatever workflows consume, as where somebody else makes it.',
      }),
    ),
    spec: Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>>>({
        type: 'object',
        description: "Further fields of the kind's spec, which win over what is made of the fields above.",
      }),
    ),
  },
  { description: 'A source of events: one object, subscribed to what workflows consume of it.' },
);

const external = Type.Object(
  {
    type: text('CloudEvents type of the events.'),
    source: Type.Optional(text('CloudEvents source of the events; any where absent.')),
    attributes: Type.Optional(
      Type.Array(text('Name of an attribute.', { pattern: '^[a-z0-9]+$' }), {
        maxItems: 64,
        description: 'Extension attributes the events carry.',
      }),
    ),
    by: Type.Optional(text('Who sends them, for people.')),
    direct: Type.Optional(
      Type.Boolean({
        description: 'true: they are posted to the workflow itself, not to the Broker: no Trigger is made for them.',
      }),
    ),
  },
  { description: 'Events that somebody sends who is described nowhere here.' },
);

/** Where a workflow runs. */
export const runtimes = ['sonataflow', 'knative-service', 'deployment', 'uri'] as const;
export type RuntimeName = (typeof runtimes)[number];

const workflow = Type.Object(
  {
    file: text('The definition, relative to this file.'),
    runtime: oneOf(
      runtimes,
      'Where it runs: sonataflow (the SonataFlow operator runs it), knative-service (a Knative Service), deployment (a Deployment behind a Service), uri (at a URL).',
    ),
    service: Type.Optional(
      dnsLabel('Name of the Service or Knative Service that takes its events; that of the workflow where absent.'),
    ),
    deployment: Type.Optional(
      dnsLabel('runtime deployment: name of the Deployment; that of the Service where absent.'),
    ),
    manifest: Type.Optional(
      text(
        'runtime knative-service: the file with the manifest of the Knative Service, relative to this file. It is applied with K_SINK set to the Broker.',
      ),
    ),
    uri: Type.Optional(text('runtime uri: where it takes events.', { pattern: '^https?://[^/]' })),
    path: Type.Optional(text('Where the Service takes events; / where absent.', { pattern: '^/' })),
    sources: Type.Optional(
      Type.Array(text('Name of a source.'), {
        minItems: 1,
        maxItems: 64,
        description: 'Its events come from these sources of this file only; from any where absent.',
      }),
    ),
    attributes: Type.Optional(
      mapOf(
        text('The value.'),
        64,
        'Further attributes every event it consumes must have, beside what the definition says.',
      ),
    ),
    delivery: Type.Optional(brokerDelivery),
  },
  {
    description: 'A workflow and where it runs.',
    'x-kubernetes-validations': [
      rule("(self.runtime == 'uri') == has(self.uri)", 'uri goes with runtime uri, and with no other', '.uri'),
      rule("self.runtime != 'uri' || !has(self.service)", 'runtime uri has no Service: leave service out', '.service'),
      rule("self.runtime != 'uri' || !has(self.path)", 'with runtime uri, the path belongs to uri', '.path'),
      rule(
        "self.runtime == 'deployment' || !has(self.deployment)",
        'deployment goes with runtime deployment',
        '.deployment',
      ),
      rule(
        "self.runtime == 'knative-service' || !has(self.manifest)",
        'manifest goes with runtime knative-service',
        '.manifest',
      ),
    ],
  },
);

export const wireSchema = Type.Object(
  {
    name: dnsLabel(
      'Name of the set: the label wire.headwater.dev/set of all its objects. No two sets in a cluster have the same.',
    ),
    namespace: Type.Optional(dnsLabel('Namespace of the objects; default where absent.')),
    broker: Type.Optional(broker),
    delivery: Type.Optional(brokerDelivery),
    sources: Type.Optional(Type.Array(source, { maxItems: 256, description: 'Where events come from.' })),
    external: Type.Optional(
      Type.Array(external, { maxItems: 1024, description: 'Producers that are described nowhere here.' }),
    ),
    workflows: Type.Optional(Type.Array(workflow, { maxItems: 1024, description: 'What the events are for.' })),
  },
  { description: 'What workflow definitions do not say: where their events come from, and where they run.' },
);

/** `wire.yaml` as it is written, valid by `wireSchema`. */
export type WireConfig = Static<typeof wireSchema>;
export type BrokerConfig = NonNullable<WireConfig['broker']>;
export type SourceConfig = NonNullable<WireConfig['sources']>[number];
export type ExternalProducer = NonNullable<WireConfig['external']>[number];
export type WorkflowConfig = NonNullable<WireConfig['workflows']>[number];
