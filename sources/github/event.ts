import type { IncomingHttpHeaders } from 'node:http';
import { type EventAttributes, textOfHeader } from '../../core/cloud-event.ts';
import type { JsonObject, ProviderEvent, VerifiedDelivery } from '../contract.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { correlation, numberIn } from './correlation.ts';
import { formParameter } from './form.ts';
import { isInexact, isObject, parseWithExactNumbers } from './payload.ts';

export const TYPE_PREFIX = 'dev.knative.source.github.';
const EVENT_NAME = /^[a-z0-9_]+$/;
/** To parse one of this size with exact numbers takes 0.1 s, when it holds nothing but numbers; nothing else runs then. */
const MOST_EXACT_BYTES = 256 * 1024;

export function toEvent(
  delivery: VerifiedDelivery,
  provider: Readonly<Record<string, unknown>>,
): ProviderEvent | { readonly malformed: string } {
  const eventType = header(delivery.headers, 'x-github-event');
  const id = header(delivery.headers, 'x-github-delivery');
  const isForm = delivery.headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  // GitHub signs the form as it travels; the document is inside it.
  const data = isForm ? formParameter(delivery.body, 'payload') : delivery.body;
  if (!eventType || !EVENT_NAME.test(eventType))
    return { malformed: 'X-GitHub-Event is absent or no name of an event' };
  if (!id) return { malformed: 'X-GitHub-Delivery is absent' };
  const payload = data && parseObject(data);
  if (!payload)
    return {
      malformed: isForm ? 'the form holds no one payload that is a JSON object' : 'the body is not a JSON object',
    };
  const read = provider['correlation'] === true ? correlatedAttributesOf : attributesOf;
  const { subject, extensions } = exactAttributesOf((from) => read(eventType, from), payload, data);
  const attributes: EventAttributes = {
    id,
    type: TYPE_PREFIX + eventType,
    subject: subject === undefined ? undefined : String(subject),
    extensions: extensions.map(([name, value]) => [name, String(value)]),
  };
  return { eventType, attributes, data };
}

/**
 * Only where a double cannot hold an attribute's number is the document parsed again, slowly. Where that would take too
 * long, or is not possible, the attribute is what the double says.
 */
function exactAttributesOf(read: (payload: JsonObject) => Attributes, payload: JsonObject, data: Buffer): Attributes {
  const found = read(payload);
  const isExact = !isInexact(found.subject) && !found.extensions.some(([, value]) => isInexact(value));
  if (isExact || data.length > MOST_EXACT_BYTES) return found;
  const exact = parseWithExactNumbers(data.toString('utf8'));
  return exact ? read(exact) : found;
}

function correlatedAttributesOf(eventType: string, payload: JsonObject): Attributes {
  const { subject, extensions } = attributesOf(eventType, payload);
  const number = numberIn(payload);
  return { subject, extensions: number === undefined ? extensions : [...extensions, [correlation.extension, number]] };
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? textOfHeader(value) : undefined;
}

function parseObject(data: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
