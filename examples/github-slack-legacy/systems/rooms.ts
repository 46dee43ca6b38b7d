import { fastify } from 'fastify';

/** Stands for another chat. What has the same id is said once. */
const said = new Set<string>();
const server = fastify();
server.put<{ Params: { room: string; id: string }; Body: string }>('/rooms/:room/:id', async ({ params, body }) => {
  if (!said.has(params.id)) console.log(`${params.room}: ${body}`);
  said.add(params.id);
  return {};
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
