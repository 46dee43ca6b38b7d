import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { textOfHeader } from '../core/cloud-event.ts';
import { messageOf } from '../core/errors.ts';
import { parseExactly } from './exact-json.ts';

export type Mode = 'binary' | 'structured' | 'batched';

/** One CloudEvent as it was received. */
export interface ReceivedEvent {
  readonly mode: Mode;
  /** Context attributes in the order received; those of headers read as UTF-8, not percent-decoded. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The bytes of the data. Exactly the body in binary mode; elsewhere JSON data is written down again. */
  readonly data: Buffer | undefined;
  readonly receivedAt: Date;
}

/** What was posted is no CloudEvent. */
export class NotACloudEventError extends Error {
  override name = 'NotACloudEventError';
}

const BATCH = 'application/cloudevents-batch';
const STRUCTURED = 'application/cloudevents';

/**
 * Reads CloudEvents in binary, structured or batched mode (HTTP binding 1.0.2).
 * @throws NotACloudEventError
 */
export function readEvents(headers: IncomingHttpHeaders, body: Buffer, receivedAt: Date): ReceivedEvent[] {
  const contentType = headers['content-type'] ?? '';
  const mode: Mode = contentType.startsWith(BATCH)
    ? 'batched'
    : contentType.startsWith(STRUCTURED)
      ? 'structured'
      : 'binary';
  try {
    if (mode === 'binary') return [readBinary(headers, body, receivedAt)];
    // The SDK knows the types without parameters only.
    const bare = { 'content-type': contentType.split(';')[0]?.trim() ?? '' };
    validate({ headers: bare, body: body.toString('utf8') });
    const documents = [parseExactly(body.toString('utf8'))].flat() as Record<string, unknown>[];
    return documents.map((document) => readDocument(document, mode, receivedAt));
  } catch (error) {
    throw new NotACloudEventError(messageOf(error), { cause: error });
  }
}

export function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

export function contentTypeOf(attributes: ReceivedEvent['attributes']): string | undefined {
  const type = attributes['datacontenttype'];
  return typeof type === 'string' ? type : undefined;
}

/** Whether the data is JSON text that can be shown as it is. */
export function isJson({ attributes, data }: ReceivedEvent): boolean {
  const type = contentTypeOf(attributes) ?? 'application/json';
  if (!/^[^;]*[/+]json\s*(;|$)/i.test(type) || data === undefined || !isUtf8(data)) return false;
  try {
    JSON.parse(data.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** The SDK is the judge of what a CloudEvent is; its constructor refuses what its parser lets pass. */
function validate(message: Message): void {
  const events = HTTP.toEvent(message);
  for (const event of Array.isArray(events) ? events : [events]) void new CloudEvent(event);
}

function readBinary(headers: IncomingHttpHeaders, body: Buffer, receivedAt: Date): ReceivedEvent {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('ce-')) attributes[name.slice(3)] = textOfHeader(String(value));
  }
  const asHeaders = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
  // Without the body: the SDK would parse it, and the bytes are what is wanted.
  validate({ headers: asHeaders, body: undefined });
  if (headers['content-type'] !== undefined) attributes['datacontenttype'] = headers['content-type'];
  return { mode: 'binary', attributes, data: body.length > 0 ? body : undefined, receivedAt };
}

function readDocument(document: Record<string, unknown>, mode: Mode, receivedAt: Date): ReceivedEvent {
  const { data, data_base64: base64, ...attributes } = document;
  return {
    mode,
    attributes,
    data: typeof base64 === 'string' ? Buffer.from(base64, 'base64') : bytesOf(data, attributes),
    receivedAt,
  };
}

/** JSON format 1.0.2, 3.1.1: data is a JSON value; a string under a type that is not JSON is the text itself. */
function bytesOf(data: unknown, attributes: Readonly<Record<string, unknown>>): Buffer | undefined {
  if (data === undefined) return undefined;
  const type = contentTypeOf(attributes) ?? 'application/json';
  return Buffer.from(typeof data === 'string' && !/[/+]json/i.test(type) ? data : JSON.stringify(data), 'utf8');
}
