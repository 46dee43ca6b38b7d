import { randomUUID } from 'node:crypto';
import { emitterFor, httpTransport } from 'cloudevents';
import { fastify } from 'fastify';
import { issueOpened } from './events.ts';

/** A form on a web site, whose reports become events. */
const { HOST = '127.0.0.1', K_SINK = '', PORT } = process.env;
const emit = emitterFor(httpTransport(K_SINK));
const server = fastify();
server.addContentTypeParser<string>(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_: unknown, form: string) => Object.fromEntries(new URLSearchParams(form)),
);
server.post<{ Body: { title: string; by: string } }>('/reports', async ({ body: { title, by } }, reply) => {
  await emit(issueOpened({ title, by, url: `https://example.com/reports/${randomUUID()}` }));
  return reply.code(202).send();
});
console.log(`listens at ${await server.listen({ host: HOST, port: Number(PORT) })}`);
