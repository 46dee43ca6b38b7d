import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { CloudEvent } from 'cloudevents';
import { ATTRIBUTE_NAME, REQUIRED_ATTRIBUTES, textOfHeader } from '../core/cloud-event.ts';
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

/** What was posted is no CloudEvent; the message says why in one line. */
export class NotACloudEventError extends Error {
  override name = 'NotACloudEventError';
}

type JsonDocument = Readonly<Record<string, unknown>>;

const documentModes: ReadonlyMap<string, Mode> = new Map([
  ['application/cloudevents+json', 'structured'],
  ['application/cloudevents-batch+json', 'batched'],
]);

/**
 * Reads CloudEvents 1.0 in binary, structured or batched mode (HTTP binding 1.0.2).
 * @throws NotACloudEventError
 */
export function readEvents(headers: IncomingHttpHeaders, body: Buffer, receivedAt: Date): ReceivedEvent[] {
  const mode = modeOf(headers['content-type'] ?? '');
  if (mode === 'binary') return [readBinary(headers, body, receivedAt)];
  return documentsOf(mode, body).map((document) => readDocument(document, mode, receivedAt));
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
  if (data === undefined || !isJsonType(attributes) || !isUtf8(data)) return false;
  try {
    JSON.parse(data.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** JSON is what data without a type is (JSON format 1.0.2, 3.1.1). */
function isJsonType(attributes: ReceivedEvent['attributes']): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contentTypeOf(attributes) ?? 'application/json');
}

function modeOf(contentType: string): Mode {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const mode = documentModes.get(type);
  if (!mode && type.startsWith('application/cloudevents'))
    throw new NotACloudEventError(`${type} is not read here, only ${[...documentModes.keys()].join(' and ')}`);
  return mode ?? 'binary';
}

function readBinary(headers: IncomingHttpHeaders, body: Buffer, receivedAt: Date): ReceivedEvent {
  const attributes: Record<string, string> = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('ce-'))
      .map(([name, value]) => [name.slice('ce-'.length), textOfHeader(String(value))]),
  );
  checkAttributes(attributes);
  const contentType = headers['content-type'];
  if (contentType !== undefined) attributes['datacontenttype'] = textOfHeader(contentType);
  return { mode: 'binary', attributes, data: body.length > 0 ? body : undefined, receivedAt };
}

function documentsOf(mode: Mode, body: Buffer): JsonDocument[] {
  if (!isUtf8(body)) throw new NotACloudEventError('the body is not UTF-8');
  let parsed: unknown;
  try {
    parsed = parseExactly(body.toString('utf8'));
  } catch (error) {
    throw new NotACloudEventError(`the body is not JSON: ${messageOf(error)}`, { cause: error });
  }
  const documents: unknown = mode === 'batched' ? parsed : [parsed];
  if (!Array.isArray(documents)) throw new NotACloudEventError('a batch is an array of events');
  return documents.map((document: unknown) => {
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as JsonDocument;
    throw new NotACloudEventError('an event is a JSON object');
  });
}

function readDocument(document: JsonDocument, mode: Mode, receivedAt: Date): ReceivedEvent {
  const { data, data_base64: base64, ...attributes } = document;
  checkAttributes(attributes);
  return { mode, attributes, data: isGiven(base64) ? decode(base64, data) : bytesOf(data, attributes), receivedAt };
}

/** JSON format 1.0.2, 2.2: null stands for an attribute that is not set. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function decode(base64: unknown, data: unknown): Buffer {
  if (isGiven(data)) throw new NotACloudEventError('an event has data or data_base64, not both');
  const bytes = Buffer.from(String(base64), 'base64');
  // Buffer passes over what is not Base64.
  if (bytes.toString('base64') === base64) return bytes;
  throw new NotACloudEventError('data_base64 is not Base64');
}

/** JSON format 1.0.2, 3.1.1: data is a JSON value; a string under a type that is not JSON is the text itself. */
function bytesOf(data: unknown, attributes: ReceivedEvent['attributes']): Buffer | undefined {
  if (data === undefined) return undefined;
  return Buffer.from(typeof data === 'string' && !isJsonType(attributes) ? data : JSON.stringify(data), 'utf8');
}

/** The SDK judges values. It makes up an `id`, reads `data` and `data_base64`, and lets other versions pass unread. */
function checkAttributes(attributes: ReceivedEvent['attributes']): void {
  const missing = [...REQUIRED_ATTRIBUTES].filter((name) => !attributes[name]);
  if (missing.length > 0) throw new NotACloudEventError(`it has no ${missing.join(', ')}`);
  const misnamed = Object.keys(attributes).find((name) => !ATTRIBUTE_NAME.test(name) || name === 'data');
  if (misnamed !== undefined) throw new NotACloudEventError(`"${misnamed}" is no name for an attribute`);
  if (attributes['specversion'] !== '1.0') throw new NotACloudEventError('its specversion is not 1.0');
  try {
    void new CloudEvent(attributes);
  } catch (error) {
    throw new NotACloudEventError(reasonOf(error), { cause: error });
  }
}

/** The errors of the SDK's JSON schema in a few words, or the first line of its message. */
function reasonOf(error: unknown): string {
  const { errors = [] } = error as { errors?: readonly { instancePath: string; message: string }[] };
  const reasons = errors.map(({ instancePath, message }) => `${instancePath.slice(1)} ${message}`);
  return reasons.join('; ') || (messageOf(error).split('\n')[0] ?? '');
}
