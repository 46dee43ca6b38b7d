import { call, type OpenedIssue, serveEvents, ticketFiled } from './events.ts';

const { TICKETS_URL = '' } = process.env;

/** An event may come twice, and the legacy system would file it twice: so it is asked first. */
async function ticketFor({ title, url }: OpenedIssue): Promise<string> {
  const known = await call(`${TICKETS_URL}?reference=${encodeURIComponent(url)}`);
  if (known !== 'NONE') return known;
  return call(TICKETS_URL, { method: 'POST', body: new URLSearchParams({ summary: title, reference: url }) });
}

await serveEvents<OpenedIssue>(async (_event, issue) => ticketFiled({ ticket: await ticketFor(issue), issue }));
