import { call, type FiledTicket, type OpenedIssue, sentenceOf, serveEvents } from './events.ts';

const { ROOM_URL = '' } = process.env;

await serveEvents<OpenedIssue | FiledTicket>(async (event) => {
  await call(`${ROOM_URL}/${event.id}`, { method: 'PUT', body: sentenceOf(event) });
  return undefined;
});
