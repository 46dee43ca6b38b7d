import type { TSchema } from 'typebox';
import type { SourceDefinition } from './contract.ts';

export const API_VERSION = 'v1alpha1';

const text = (description: string, rest: object = {}) => ({ type: 'string', description, ...rest });
const column = (name: string, jsonPath: string, description: string, type = 'string') => ({
  name,
  type,
  jsonPath,
  description,
});

const printerColumns = [
  column('Ready', ".status.conditions[?(@.type=='Ready')].status", 'Whether events flow.'),
  column('Reason', ".status.conditions[?(@.type=='Ready')].reason", 'Why they do not.'),
  column('URL', '.status.webhookURL', 'Where the provider sends its deliveries.'),
  column('Sink', '.status.sinkUri', 'Where the events go.'),
  column('Age', '.metadata.creationTimestamp', 'Since when it is there.', 'date'),
];

const conditions = {
  type: 'array',
  description: 'What holds and what does not; Ready sums it up.',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status'],
    properties: {
      type: text('Name of the condition.'),
      status: text('True, False or Unknown.', { enum: ['True', 'False', 'Unknown'] }),
      severity: text('Info or Warning where the condition has no part in Ready; empty where it has.'),
      reason: text('Why, in one word.'),
      message: text('Why, and what to change.'),
      lastTransitionTime: text('When the status changed last.', { format: 'date-time' }),
    },
  },
};

/** Everything a controller writes: what a status schema lacks, the API server drops without a word. */
const status = {
  type: 'object',
  description: 'What is.',
  properties: {
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      description: 'The generation of spec this status is about.',
    },
    conditions,
    annotations: {
      type: 'object',
      description: 'Further facts by name.',
      additionalProperties: { type: 'string' },
    },
    sinkUri: text('The URL the sink was resolved to.'),
    sinkCACerts: text('The certificates trusted for the sink.'),
    sinkAudience: text('The OIDC audience of the sink.'),
    deadLetterSinkUri: text('The URL the dead-letter sink was resolved to.'),
    auth: {
      type: 'object',
      description: 'The identity events are sent with.',
      properties: {
        serviceAccountName: text('The ServiceAccount tokens are requested for.'),
        serviceAccountNames: {
          type: 'array',
          description: 'The ServiceAccounts tokens are requested for.',
          items: { type: 'string' },
        },
      },
    },
    ceAttributes: {
      type: 'array',
      description: 'Type and source of the events that can come.',
      items: {
        type: 'object',
        required: ['type', 'source'],
        properties: { type: text('CloudEvents type.'), source: text('CloudEvents source.') },
      },
    },
    webhookIDKey: text("The provider's id of the webhook."),
    webhookURL: text('Where the provider sends its deliveries.'),
    hooks: {
      type: 'array',
      description: 'The webhooks made for this source and not yet removed.',
      items: {
        type: 'object',
        required: ['api', 'repository', 'id'],
        properties: {
          api: text("Base URL of the provider's API."),
          repository: text('What the webhook belongs to.'),
          id: text("The provider's id of the webhook."),
          secretVersion: text('resourceVersion of the Secret whose secret the webhook has.'),
          keptAs: text('Tells what the provider made of the webhook, where that is not as it was written.'),
        },
      },
    },
    manualHook: {
      type: 'object',
      description: 'Without accessToken: the webhook you make, and whether a delivery came by it.',
      properties: {
        webhookURL: text('The URL a delivery is waited for at.'),
        secretVersion: text('resourceVersion of the Secret whose secret it is signed with.'),
        routeGeneration: {
          type: 'integer',
          format: 'int64',
          description: 'The route as of which that secret is the present one.',
        },
        since: text('Since when it is waited for.', { format: 'date-time' }),
        firstDelivery: text('When one was seen first.', { format: 'date-time' }),
      },
    },
  },
};

/** API version and kind of a source's objects. */
export function objectKindOf({ kind, group }: Pick<SourceDefinition, 'kind' | 'group'>) {
  return { apiVersion: `${group}/${API_VERSION}`, kind };
}

/** The plural and the full name of a kind's custom resource definition. */
export function namesOf({ kind, group }: Pick<SourceDefinition, 'kind' | 'group'>) {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  return { singular, plural, crd: `${plural}.${group}` };
}

/** The whole CustomResourceDefinition of a source kind: the provider's spec, and what all kinds have in common. */
export async function customResourceDefinition(definition: SourceDefinition): Promise<object> {
  const { kind, group } = definition;
  const { singular, plural, crd } = namesOf(definition);
  const { schema, description, eventTypes } = await definition.loadSpec();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: crd,
      labels: {
        'app.kubernetes.io/part-of': 'headwater',
        'eventing.knative.dev/source': 'true',
        'duck.knative.dev/source': 'true',
        'knative.dev/crd-install': 'true',
      },
      annotations: { 'registry.knative.dev/eventTypes': JSON.stringify(eventTypes.map((type) => ({ type }))) },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, categories: ['all', 'knative', 'eventing', 'sources'] },
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: text(`${group}/${API_VERSION}`),
                kind: text(kind),
                metadata: { type: 'object' },
                spec: plain(schema),
                status,
              },
            },
          },
        },
      ],
    },
  };
}

/** Without what typebox keeps for itself. */
function plain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema)) as object;
}
