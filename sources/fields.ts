import { type Static, type TSchema, Type } from 'typebox';
import type { Correlation } from './contract.ts';

/**
 * The parts of a spec that all kinds share. They become structural schemas (Kubernetes, "Specifying a structural
 * schema"): every node has a type, everything under a CEL rule is bounded.
 */

const DNS_NAME = 253;
const URL_LENGTH = 2048;
/** PEM bundles of some hundred authorities. */
const CERTIFICATES = 1_048_576;
const ABSOLUTE_URL = '^[A-Za-z][A-Za-z0-9+.-]*://[^/]';
const ISO_8601_DURATION = '^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+([.][0-9]+)?S)?)?$';

/** A string of a fixed set. typebox's own enums carry no `type`. */
export function oneOf<const Value extends string>(values: readonly Value[], description: string) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values], description });
}

/** A map with free keys. typebox's own records are `patternProperties`. */
export function mapOf<Value extends TSchema>(
  value: Value,
  maxProperties: number,
  description: string,
  rest: object = {},
) {
  return Type.Unsafe<Readonly<Record<string, Static<Value>>>>({
    type: 'object',
    additionalProperties: value,
    maxProperties,
    description,
    ...rest,
  });
}

/** A CEL rule with the sentence a user sees when it is broken. */
export function rule(expression: string, message: string, fieldPath?: string) {
  return { rule: expression, message, ...(fieldPath === undefined ? {} : { fieldPath }) };
}

const name = (description: string, options: object = {}) =>
  Type.String({ minLength: 1, maxLength: DNS_NAME, description, ...options });

/** A key of a Secret in the source's own namespace. */
export function secretKeySelector(description: string) {
  return Type.Object(
    {
      secretKeyRef: Type.Optional(
        Type.Object(
          {
            name: Type.String({
              maxLength: DNS_NAME,
              description: 'Name of the Secret, in the namespace of this source.',
            }),
            key: Type.String({ maxLength: DNS_NAME, description: 'Key of the Secret that holds the value.' }),
          },
          { description: 'Which key of which Secret.' },
        ),
      ),
    },
    { description },
  );
}

/** Knative's Destination. */
export function destination(description: string) {
  return Type.Object(
    {
      ref: Type.Optional(
        Type.Object(
          {
            apiVersion: name('API version of the object, such as eventing.knative.dev/v1.'),
            kind: name('Kind of the object: a Service, Broker, Channel, or anything with status.address.url.'),
            name: name('Name of the object.'),
            namespace: Type.Optional(
              Type.String({
                maxLength: DNS_NAME,
                description: 'Namespace of the object; that of this source where absent.',
              }),
            ),
          },
          { description: 'The object that receives the events.' },
        ),
      ),
      uri: Type.Optional(
        Type.String({
          format: 'uri',
          maxLength: URL_LENGTH,
          description: 'An absolute URL; or, beside ref, a path that is resolved against the URL of the object.',
        }),
      ),
      CACerts: Type.Optional(
        Type.String({
          maxLength: CERTIFICATES,
          description: "PEM certificates trusted for this destination beside the system's.",
        }),
      ),
      audience: Type.Optional(
        Type.String({
          maxLength: URL_LENGTH,
          description: 'OIDC audience of the destination: events are sent with a token for it.',
        }),
      ),
    },
    {
      description,
      'x-kubernetes-validations': [
        rule('has(self.ref) || has(self.uri)', 'set ref (an object) or uri (a URL)'),
        rule(
          `!has(self.uri) || has(self.ref) || self.uri.matches('${ABSOLUTE_URL}')`,
          'without ref, uri must be absolute, such as http://host/path',
          '.uri',
        ),
        rule(
          `!has(self.uri) || !has(self.ref) || !self.uri.matches('${ABSOLUTE_URL}')`,
          'beside ref, uri must be a path, such as /events: it is resolved against the URL of the object',
          '.uri',
        ),
      ],
    },
  );
}

const duration = (description: string) =>
  Type.String({
    pattern: ISO_8601_DURATION,
    maxLength: 64,
    description: `${description} ISO 8601, such as PT0.2S.`,
  });

/** Knative's DeliverySpec. `absent`: what holds where a field is absent; the Broker's own where that is. */
function delivery(
  about: string,
  absent?: Readonly<Record<'retry' | 'backoffPolicy' | 'backoffDelay' | 'timeout', string>>,
) {
  const where = (field: keyof NonNullable<typeof absent>) =>
    absent === undefined ? "as the Broker's where absent" : `${absent[field]} where absent`;
  return Type.Object(
    {
      deadLetterSink: Type.Optional(destination('Where events go that could not be delivered.')),
      retry: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1000,
          description: `How often an event is tried again; ${where('retry')}.`,
        }),
      ),
      backoffPolicy: Type.Optional(
        oneOf(['linear', 'exponential'], `How the wait between attempts grows; ${where('backoffPolicy')}.`),
      ),
      backoffDelay: Type.Optional(duration(`The wait before the first retry; ${where('backoffDelay')}.`)),
      timeout: Type.Optional(duration(`The time limit of one attempt; ${where('timeout')}.`)),
      retryAfterMax: Type.Optional(
        duration(
          'The longest wait that a Retry-After header of the sink may ask for; where absent, the header is not honoured.',
        ),
      ),
    },
    { description: `${about} (Knative DeliverySpec).` },
  );
}

/** How a source delivers. */
export const deliverySpec = delivery('How events are delivered to the sink', {
  retry: '3',
  backoffPolicy: 'exponential',
  backoffDelay: 'PT0.2S',
  timeout: 'PT3S',
});

/** How a Broker delivers to what its Triggers name. */
export const brokerDelivery = delivery('How the Broker delivers events to subscribers');

const quantities = (description: string) =>
  mapOf(Type.Unsafe<string | number>({ 'x-kubernetes-int-or-string': true }), 32, description);

/** How the adapter that serves this source runs. */
export const adapterOptions = Type.Object(
  {
    mode: Type.Optional(
      oneOf(
        ['shared', 'dedicated'],
        'shared: one Deployment serves all sources; dedicated: one of its own. Where absent, as installed.',
      ),
    ),
    resources: Type.Optional(
      Type.Object(
        {
          requests: Type.Optional(quantities('What a dedicated adapter is guaranteed.')),
          limits: Type.Optional(quantities('What a dedicated adapter may use at most.')),
        },
        { description: 'Resources of a dedicated adapter.' },
      ),
    ),
    nodeSelector: Type.Optional(
      mapOf(Type.String({ maxLength: 63 }), 32, 'Labels of the nodes a dedicated adapter may run on.'),
    ),
    tolerations: Type.Optional(
      Type.Array(
        Type.Object(
          {
            key: Type.Optional(Type.String({ maxLength: 316, description: 'Key of the taint; all where absent.' })),
            operator: Type.Optional(oneOf(['Exists', 'Equal'], 'How key and value are compared; Equal where absent.')),
            value: Type.Optional(Type.String({ maxLength: 63, description: 'Value of the taint.' })),
            effect: Type.Optional(
              oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'Effect of the taint; all where absent.'),
            ),
            tolerationSeconds: Type.Optional(
              Type.Integer({
                description: 'How long a NoExecute taint is tolerated, in seconds; for ever where absent.',
              }),
            ),
          },
          { description: 'One toleration.' },
        ),
        { maxItems: 64, description: 'Taints a dedicated adapter tolerates.' },
      ),
    ),
  },
  { description: 'How the adapter runs that serves this source.' },
);

const OVERRIDES_OF_REQUIRED = "self.all(name, !(name in ['id', 'source', 'type', 'specversion']))";

/** Knative's CloudEventOverrides. */
export const ceOverrides = Type.Object(
  {
    extensions: mapOf(
      Type.String({ minLength: 1, maxLength: 4096 }),
      64,
      'Extensions set on every event, instead of what the provider says under these names.',
      {
        'x-kubernetes-validations': [
          rule(OVERRIDES_OF_REQUIRED, 'id, source, type and specversion cannot be overridden'),
        ],
      },
    ),
  },
  { description: 'Attributes added to every event.' },
);

/** What every kind has in its spec beside the provider's own fields. */
export const commonFields = {
  sink: destination('Where the events go.'),
  delivery: Type.Optional(deliverySpec),
  ceOverrides: Type.Optional(ceOverrides),
  eventFormat: Type.Optional(
    oneOf(['knative'], "Which attributes events carry: knative, those of Knative's own sources. knative where absent."),
  ),
  serviceAccountName: Type.Optional(
    Type.String({
      maxLength: DNS_NAME,
      description: 'ServiceAccount a dedicated adapter runs as; default where absent.',
    }),
  ),
  adapter: Type.Optional(adapterOptions),
};

/** For the specs of providers that offer one. */
export const correlationField = ({ extension, meaning }: Correlation) =>
  Type.Optional(
    Type.Boolean({
      description: `true: events also carry ${meaning}, as extension ${extension}, so that those about one can be told from those about another. false where absent: Knative's own source does not send it.`,
    }),
  );

const commonSpec = Type.Object(commonFields);

/** The part of a spec that all kinds share. */
export type CommonSpec = Static<typeof commonSpec>;
/** Knative's Destination, as the user writes it. */
export type SinkDestination = CommonSpec['sink'];
