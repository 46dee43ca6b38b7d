import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** Stands for a ticket system that nobody dares to change: forms in, plain text out, no idea of events. */
const tickets = new Map<string, string>();

async function file(form: string): Promise<string> {
  const { summary = '', reference = '' } = Object.fromEntries(new URLSearchParams(form));
  const ticket = String(4711 + tickets.size);
  tickets.set(reference, ticket);
  console.log(`ticket ${ticket}: ${summary}`);
  return ticket;
}

createServer((request, response) => {
  const asked = new URL(request.url ?? '', 'http://legacy').searchParams.get('reference') ?? '';
  if (request.method === 'GET') response.end(tickets.get(asked) ?? 'NONE');
  else
    void text(request)
      .then(file)
      .then((ticket) => response.end(ticket));
}).listen(Number(process.env['PORT']), '127.0.0.1');
