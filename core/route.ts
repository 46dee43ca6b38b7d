import { ATTRIBUTE_NAME, HEADER_VALUE, REQUIRED_ATTRIBUTES, RESERVED_ATTRIBUTES } from './cloud-event.ts';
import { millisecondsOf } from './duration.ts';
import { ConfigurationError, messageOf } from './errors.ts';

/** A webhook secret; `validUntil` (RFC 3339) is set on one that was replaced and is still accepted for a while. */
export interface SecretToken {
  readonly value: string;
  readonly validUntil?: string | null | undefined;
  /** For the controller: resourceVersion of the Secret this value was first read at. */
  readonly version?: string | undefined;
}

/** The newest delivery with a right signature, as an adapter reports it; the controller retires a replaced secret by it. */
export interface AuthenticDelivery {
  /** RFC 3339. */
  readonly time: string;
  /** The index in `secretTokens` of the route as it was at `generation`. */
  readonly secretToken: number;
  readonly generation: number;
}

/** Where events go, resolved: an absolute http(s) URL and what it takes to be let in there. */
export interface Destination {
  readonly url: string;
  /** PEM certificates trusted for this destination beside the system's. */
  readonly CACerts?: string | undefined;
  readonly audience?: string | undefined;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}

/** Knative's DeliverySpec without its dead-letter sink, which a route carries resolved. Durations are ISO 8601. */
export interface DeliverySpec {
  readonly retry?: number | undefined;
  readonly backoffPolicy?: 'linear' | 'exponential' | undefined;
  readonly backoffDelay?: string | undefined;
  readonly timeout?: string | undefined;
  readonly retryAfterMax?: string | undefined;
}

/** All that an adapter knows of a source object; the controller compiles it, `<uid>.json` carries it. */
export interface Route {
  readonly version: 1;
  readonly generation: number;
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `/hooks/<uid>`; two segments. */
  readonly path: string;
  /** The CloudEvents `source`. */
  readonly eventSource: string;
  readonly secretTokens: readonly SecretToken[];
  /** null: the source has no usable sink now, and its deliveries are answered with 503. */
  readonly sink: Destination | null;
  readonly deadLetterSink: Destination | null;
  /** The provider's event names; `*` stands for all. */
  readonly eventTypes: readonly string[];
  readonly ceOverrides: { readonly extensions?: Readonly<Record<string, string>> | undefined };
  readonly delivery: DeliverySpec;
  readonly eventFormat: 'knative';
  /** Opaque outside the provider's folder. */
  readonly provider: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;
const DURATIONS = ['backoffDelay', 'timeout', 'retryAfterMax'] as const;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSecretToken(token: unknown): token is SecretToken {
  if (!isFields(token) || typeof token['value'] !== 'string' || token['value'] === '') return false;
  const validUntil = token['validUntil'] ?? undefined;
  return validUntil === undefined || (typeof validUntil === 'string' && !Number.isNaN(Date.parse(validUntil)));
}

/** Reads one route; fields it does not know are ignored, so that a newer controller can be read. */
class RouteReader {
  readonly problems: string[] = [];
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** What stands at `name`, checked; where it is absent (or null) and `fallback` is given, that. */
  #read<Value>(name: string, expected: string, check: (value: unknown) => value is Value, fallback?: Value): Value {
    const value = this.#fields[name] ?? fallback;
    if (check(value)) return value;
    this.problems.push(`${name} must be ${expected}`);
    return value as Value;
  }

  text(name: string, expected = 'a non-empty string', pattern = /./): string {
    return this.#read(name, expected, (value): value is string => typeof value === 'string' && pattern.test(value));
  }

  number(name: string): number {
    return this.#read(name, 'a number', (value): value is number => typeof value === 'number', 0);
  }

  only<Value>(name: string, allowed: Value, fallback?: Value): Value {
    return this.#read(name, JSON.stringify(allowed), (value): value is Value => value === allowed, fallback);
  }

  object(name: string): Fields {
    return this.#read(name, 'an object', isFields, {});
  }

  texts(name: string, fallback: readonly string[]): readonly string[] {
    const areTexts = (value: unknown): value is readonly string[] =>
      Array.isArray(value) && value.every((item) => typeof item === 'string');
    return this.#read(name, 'a list of strings', areTexts, fallback);
  }

  /** An empty secret would let anybody in who knows the path: it is refused here, where it is configured. */
  secretTokens(): readonly SecretToken[] {
    const areTokens = (value: unknown): value is readonly SecretToken[] =>
      Array.isArray(value) && value.length > 0 && value.every(isSecretToken);
    return this.#read(
      'secretTokens',
      'a list of {value, validUntil?} with at least one, no value empty, validUntil a time such as 2026-01-31T12:00:00Z',
      areTokens,
    );
  }

  destination(name: string): Destination | null {
    const fields = this.#fields[name] ?? null;
    if (fields === null) return null;
    const url = isFields(fields) && typeof fields['url'] === 'string' ? URL.parse(fields['url']) : null;
    const { CACerts, audience, token } = isFields(fields) ? fields : {};
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
      this.problems.push(`${name}.url must be an absolute http or https URL without user name and password`);
    } else if ([CACerts, audience, token].some((text) => typeof (text ?? '') !== 'string')) {
      this.problems.push(`${name}.CACerts, audience and token must be strings`);
    } else if (typeof token === 'string' && token !== '' && !HEADER_VALUE.test(token)) {
      this.problems.push(`${name}.token must be one line of latin1 characters: it is sent in a header`);
    }
    return fields as unknown as Destination;
  }

  ceOverrides(): Route['ceOverrides'] {
    const overrides = this.object('ceOverrides');
    const extensions = overrides['extensions'] ?? {};
    const fits = ([name, value]: [string, unknown]) => isExtensionName(name) && typeof value === 'string';
    if (!isFields(extensions) || !Object.entries(extensions).every(fits)) {
      const names = 'names of [a-z0-9], none of them required, data or datacontenttype';
      this.problems.push(`ceOverrides.extensions must map ${names}, to strings`);
    }
    return overrides;
  }

  delivery(): DeliverySpec {
    const delivery = this.object('delivery');
    const retry = delivery['retry'] ?? 0;
    const backoffPolicy = delivery['backoffPolicy'] ?? 'linear';
    if (!Number.isInteger(retry) || Number(retry) < 0) this.problems.push('delivery.retry must be a whole number');
    if (backoffPolicy !== 'linear' && backoffPolicy !== 'exponential') {
      this.problems.push('delivery.backoffPolicy must be linear or exponential');
    }
    for (const name of DURATIONS) {
      const value = delivery[name] ?? undefined;
      if (value !== undefined && (typeof value !== 'string' || millisecondsOf(value) === undefined)) {
        this.problems.push(`delivery.${name} must be an ISO 8601 duration such as PT0.2S`);
      }
    }
    return delivery;
  }
}

function isExtensionName(name: string): boolean {
  return ATTRIBUTE_NAME.test(name) && !REQUIRED_ATTRIBUTES.has(name) && !RESERVED_ATTRIBUTES.has(name);
}

/** How a JSON text is broken, as far as the parser says it; its own message is not given, since it may quote a secret. */
function faultOf(error: unknown, text: string): string {
  if (text.trim() === '') return 'not JSON: it is empty';
  const message = messageOf(error);
  if (message.startsWith('Unexpected end')) return 'not JSON: it ends too early';
  const place = /\(line \d+ column \d+\)/.exec(message)?.[0];
  return place === undefined ? 'not JSON' : `not JSON ${place}`;
}

/**
 * `unknownFields` are those this version does not read: a newer controller's, or mistyped ones.
 * @throws ConfigurationError naming every problem; never with a secret in it.
 */
export function parseRoute(text: string): { route: Route; unknownFields: readonly string[] } {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError('route', [faultOf(error, text)]);
  }
  if (!isFields(fields)) throw new ConfigurationError('route', ['not a JSON object']);
  const read = new RouteReader(fields);
  const route: Route = {
    version: read.only('version', 1),
    generation: read.number('generation'),
    uid: read.text('uid'),
    kind: read.text('kind'),
    namespace: read.text('namespace', 'one line of latin1 characters: it is sent in a header', HEADER_VALUE),
    name: read.text('name'),
    path: read.text('path', 'two segments such as /hooks/<uid>', /^\/[^/?#\s]+\/[^/?#\s]+$/),
    eventSource: read.text('eventSource'),
    secretTokens: read.secretTokens(),
    sink: read.destination('sink'),
    deadLetterSink: read.destination('deadLetterSink'),
    eventTypes: read.texts('eventTypes', ['*']),
    ceOverrides: read.ceOverrides(),
    delivery: read.delivery(),
    eventFormat: read.only('eventFormat', 'knative', 'knative'),
    provider: read.object('provider'),
  };
  if (read.problems.length > 0) throw new ConfigurationError('route', read.problems);
  return { route, unknownFields: Object.keys(fields).filter((name) => !(name in route)) };
}
