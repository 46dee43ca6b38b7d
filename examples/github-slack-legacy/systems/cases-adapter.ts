import { createHash } from 'node:crypto';
import { call, type OpenedIssue, serveEvents, ticketFiled } from './events.ts';

const { CASES_URL = '' } = process.env;

await serveEvents<OpenedIssue>(async (_event, issue) => {
  const ticket = createHash('sha256').update(issue.url).digest('hex').slice(0, 8);
  const headers = { 'content-type': 'application/json' };
  await call(`${CASES_URL}/${ticket}`, { method: 'PUT', headers, body: JSON.stringify({ title: issue.title }) });
  return ticketFiled({ ticket, issue });
});
