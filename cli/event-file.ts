import { readFile } from 'node:fs/promises';
import { ConfigurationError, messageOf } from '../core/errors.ts';
import { isJson, NotACloudEventError, readEvents } from '../dump/event.ts';
import type { ExplainedEvent } from '../wire/explain/explain.ts';

/**
 * The CloudEvent in a file: in CloudEvents' JSON format, as `headwater dump --output json` prints it. `-`: standard
 * input.
 * @throws ConfigurationError
 */
export async function readEventFile(path: string): Promise<ExplainedEvent> {
  try {
    const text = await readFile(path === '-' ? '/dev/stdin' : path, 'utf8');
    const headers = { 'content-type': 'application/cloudevents+json' };
    const [event] = readEvents(headers, Buffer.from(JSON.stringify(documentIn(text))), new Date(0));
    if (!event) throw new NotACloudEventError('it holds no event');
    const attributes = Object.entries(event.attributes).map(([name, value]) => [name, String(value)]);
    const data: unknown = isJson(event) && event.data ? JSON.parse(event.data.toString('utf8')) : undefined;
    return { attributes: Object.fromEntries(attributes) as Record<string, string>, data };
  } catch (error) {
    const why = error instanceof NotACloudEventError ? 'it is no CloudEvent' : 'it cannot be read';
    throw new ConfigurationError('event', [`${path}: ${why}: ${messageOf(error)}`], { cause: error });
  }
}

/** One document; the only one of a document a line, too. What the dumper says of the receipt is no attribute. */
function documentIn(text: string): unknown {
  const document = parsed(text) ?? lineIn(text) ?? (JSON.parse(text) as unknown);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return document;
  const { headwater, ...rest } = document as Record<string, unknown>;
  return typeof headwater === 'object' ? rest : document;
}

function lineIn(text: string): unknown {
  const documents = text.split('\n').map(parsed);
  const [first, ...others] = documents.filter((document) => document !== undefined);
  if (others.length > 0) throw new NotACloudEventError(`it holds ${others.length + 1} events, and one is explained`);
  return first;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
