import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { CloudEvent, emitterFor, HTTP, httpTransport } from 'cloudevents';

/**
 * Stands for a workflow engine on a laptop: prints the events it is sent, and answers some with those a workflow would
 * emit, to K_SINK. Arguments: `TYPE=TYPE,TYPE…`, a type that comes and the types that go then. It executes no definition.
 */
const rules = process.argv.slice(2).map((rule) => rule.split('='));
const emitted = new Map(rules.map(([type, types = '']) => [type, types.split(',')]));
const { K_SINK, PORT } = process.env;

async function take(request: IncomingMessage): Promise<void> {
  const event = HTTP.toEvent({ headers: request.headers, body: await text(request) });
  if (!(event instanceof CloudEvent)) throw new Error('events come one by one here');
  const { type, subject, kogitoprocrefid: instance } = event;
  console.log([type, subject, typeof instance === 'string' && `for instance ${instance}`].filter(Boolean).join(' '));
  for (const next of emitted.get(type) ?? []) {
    const sent = event.cloneWith({ id: randomUUID(), type: next, source: '/stand-in-engine' });
    if (K_SINK === undefined) throw new Error(`${next} goes nowhere: K_SINK is not set`);
    await emitterFor(httpTransport(K_SINK))(sent);
  }
}

const server = createServer((request, response) => {
  take(request).then(
    () => response.writeHead(202).end(),
    ({ message }: Error) => {
      console.error(message);
      response.writeHead(500).end();
    },
  );
});
server.listen(Number(PORT), '127.0.0.1');
