import type { IncomingHttpHeaders } from 'node:http';
import { type EventAttributes, textOfHeader } from '../../core/cloud-event.ts';
import type { JsonObject, ProviderEvent, VerifiedDelivery } from '../contract.ts';
import { attributesOf } from './attributes.ts';
import { formParameter } from './form.ts';
import { isInexact, isObject, parseWithExactNumbers } from './payload.ts';

const TYPE_PREFIX = 'dev.knative.source.github.';
const EVENT_NAME = /^[a-z0-9_]+$/;

export function readEvent(delivery: VerifiedDelivery): ProviderEvent | undefined {
  const eventType = header(delivery.headers, 'x-github-event');
  const id = header(delivery.headers, 'x-github-delivery');
  const isForm = delivery.headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  // GitHub signs the form as it travels; the document is inside it.
  const data = isForm ? formParameter(delivery.body, 'payload') : delivery.body;
  if (!eventType || !EVENT_NAME.test(eventType) || !id || !data) return undefined;
  const payload = parseObject(data);
  return payload && { id, eventType, payload, data };
}

export function toEvent(event: ProviderEvent): EventAttributes {
  let found = attributesOf(event.eventType, event.payload);
  if (isInexact(found.subject) || found.extensions.some(([, value]) => isInexact(value))) {
    found = attributesOf(event.eventType, parseWithExactNumbers(event.data.toString('utf8')));
  }
  return {
    id: event.id,
    type: TYPE_PREFIX + event.eventType,
    subject: found.subject === undefined ? undefined : String(found.subject),
    extensions: found.extensions.map(([name, value]) => [name, String(value)]),
  };
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
