// The adapter as most would write it: the same packages, each used as its own documentation shows.
// Arguments: port, URL of the sink, webhook secret.
import { Webhooks } from '@octokit/webhooks';
import { CloudEvent, emitterFor, httpTransport } from 'cloudevents';
import fastify from 'fastify';

const [port = '', sink = '', secret = ''] = process.argv.slice(2);
const BODY_LIMIT = 26 * 1024 * 1024;

const emit = emitterFor(httpTransport(sink));
const webhooks = new Webhooks({ secret });
webhooks.onAny(async ({ id, name, payload }) => {
  const source = 'https://github.com/octo/hello';
  await emit(new CloudEvent({ id, type: `dev.knative.source.github.${name}`, source, data: payload }));
});

const app = fastify({ logger: false, bodyLimit: BODY_LIMIT });
app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
app.post('/hooks/:uid', async ({ headers, body }, reply) => {
  await webhooks.verifyAndReceive({
    id: String(headers['x-github-delivery']),
    name: String(headers['x-github-event']),
    signature: String(headers['x-hub-signature-256']),
    payload: String(body),
  });
  return reply.code(202).send();
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
