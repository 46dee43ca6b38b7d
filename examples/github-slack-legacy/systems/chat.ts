import { fastify } from 'fastify';

/** Stands for a chat like Slack, with its incoming webhooks. */
const server = fastify();
server.post<{ Body: { text: string } }>('/services/:team/:app/:secret', async ({ body }) => {
  console.log(`#development: ${body.text}`);
  return 'ok';
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
