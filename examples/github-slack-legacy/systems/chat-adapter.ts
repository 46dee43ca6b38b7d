import { call, type FiledTicket, type OpenedIssue, sentenceOf, serveEvents } from './events.ts';

const { WEBHOOK_URL = '' } = process.env;

await serveEvents<OpenedIssue | FiledTicket>(async (event) => {
  const headers = { 'content-type': 'application/json' };
  await call(WEBHOOK_URL, { method: 'POST', headers, body: JSON.stringify({ text: sentenceOf(event) }) });
  return undefined;
});
