import type { IncomingHttpHeaders } from 'node:http';
import { headerValueOf } from '../core/cloud-event.ts';
import { type ReceivedEvent, readEvents } from '../dump/event.ts';

/** An event on its way through a broker: the headers it travels with, octet for octet, and its attributes as text. */
export interface BrokeredEvent {
  /** Names and values in turn; a character of a value is an octet. */
  readonly headers: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Buffer;
}

/** What Knative's broker passes on beside the event itself. */
const PASSED_ON = /^(ce-.*|content-type|traceparent|tracestate|x-request-id|b3|x-b3-.*|x-ot-.*|knative-.*)$/;

/**
 * The events of a request in binary, structured or batched mode. Binary headers stay as they came.
 * @throws NotACloudEventError
 */
export function brokeredEvents(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  body: Buffer,
): BrokeredEvent[] {
  return readEvents(headers, body, new Date()).map((event) => {
    const attributes = attributesOf(event);
    const binary = event.mode === 'binary';
    return {
      headers: binary
        ? passedOn(rawHeaders, PASSED_ON)
        : [...passedOn(rawHeaders, /^(?!ce-|content-type$)/), ...binaryHeaders(attributes)],
      attributes,
      data: event.data ?? Buffer.alloc(0),
    };
  });
}

/** JSON format 1.0.2: null is no value (2.2), and data without a type is JSON (3.1), which binary mode must say. */
function attributesOf({ mode, attributes, data }: ReceivedEvent): Record<string, string> {
  const implied = mode === 'binary' || data === undefined ? [] : [['datacontenttype', 'application/json'] as const];
  const given = Object.entries(attributes).filter(([, value]) => value !== null);
  return Object.fromEntries([...implied, ...given].map(([name, value]) => [name, String(value)]));
}

function passedOn(rawHeaders: readonly string[], pattern: RegExp): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (pattern.test(name) && PASSED_ON.test(name)) kept.push(name, rawHeaders[index + 1] ?? '');
  }
  return kept;
}

/** CloudEvents HTTP binding 1.0.2, 3.1: subscribers of a broker always get binary mode. */
function binaryHeaders(attributes: BrokeredEvent['attributes']): string[] {
  return Object.entries(attributes).flatMap(([name, value]) => [
    name === 'datacontenttype' ? 'content-type' : `ce-${name}`,
    headerValueOf(value),
  ]);
}
