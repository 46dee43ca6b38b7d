import { fastify } from 'fastify';

/** Stands for another ticket system. */
const server = fastify();
server.put<{ Params: { id: string }; Body: { title: string } }>('/v2/cases/:id', async ({ params, body }, reply) => {
  console.log(`case ${params.id}: ${body.title}`);
  return reply.code(201).send();
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
