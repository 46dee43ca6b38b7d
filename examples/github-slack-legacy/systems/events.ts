import { CloudEvent, HTTP } from 'cloudevents';
import { fastify } from 'fastify';

/** What the systems say to each other; all that one must know of another. */
export interface OpenedIssue {
  readonly title: string;
  readonly url: string;
  readonly by: string;
}

export interface FiledTicket {
  readonly ticket: string;
  readonly issue: OpenedIssue;
}

export function issueOpened(data: OpenedIssue): CloudEvent<OpenedIssue> {
  return new CloudEvent({ type: 'com.example.issue.opened', source: '/forge', subject: data.url, data });
}

export function ticketFiled(data: FiledTicket): CloudEvent<FiledTicket> {
  return new CloudEvent({ type: 'com.example.ticket.filed', source: '/tickets', subject: data.issue.url, data });
}

/** A sentence for people. */
export function sentenceOf({ type, data }: CloudEvent<OpenedIssue | FiledTicket>): string {
  if (data === undefined) return type;
  return 'ticket' in data
    ? `ticket ${data.ticket} is for "${data.issue.title}"`
    : `${data.by} opened "${data.title}" (${data.url})`;
}

/**
 * Serves a function of events. What it resolves to is the answer, which the Broker takes for an event of its own. When it
 * throws, 500 is answered, and the event comes again.
 */
export async function serveEvents<Data>(
  take: (event: CloudEvent<Data>, data: Data) => Promise<CloudEvent<unknown> | undefined>,
): Promise<void> {
  const server = fastify({ bodyLimit: 26 * 1024 * 1024, logger: { level: 'error' } });
  server.post('/', async ({ headers, body }, reply) => {
    const event = HTTP.toEvent<Data>({ headers, body });
    if (!(event instanceof CloudEvent) || event.data === undefined) return reply.code(400).send();
    const answer = await take(event, event.data);
    if (answer === undefined) return reply.code(204).send();
    const message = HTTP.binary(answer);
    return reply.headers(message.headers).send(message.body);
  });
  const { HOST = '127.0.0.1', PORT } = process.env;
  console.log(`listens at ${await server.listen({ host: HOST, port: Number(PORT) })}`);
}

/** A call of a system; what it answered. Anything but 2xx is thrown. */
export async function call(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}
