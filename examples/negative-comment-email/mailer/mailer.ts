import { CloudEvent, HTTP } from 'cloudevents';
import { fastify } from 'fastify';
import { createTransport } from 'nodemailer';
import model from 'wink-eng-lite-web-model';
import winkNLP from 'wink-nlp';

/** Takes CloudEvents of comments, and sends an e-mail for each that is negative. Knows neither GitHub's API nor webhooks. */

/** What is read of a comment's event. */
interface Comment {
  readonly comment: {
    readonly body: string | null;
    readonly html_url: string;
    readonly user: { readonly login: string };
  };
  readonly issue: { readonly number: number; readonly title: string };
  readonly repository: { readonly full_name: string };
}

const { PORT, HOST = '127.0.0.1', SMTP_URL, MAIL_FROM, MAIL_TO } = process.env;
const nlp = winkNLP(model, ['sbd', 'negation', 'sentiment']);
const mail = createTransport(SMTP_URL);

/** From -1, negative, to 1. */
function sentimentOf(text: string): number {
  // A name of what is asked for, not a method that is called.
  // oxlint-disable-next-line typescript/unbound-method
  return Number(nlp.readDoc(text).out(nlp.its.sentiment));
}

function mailAbout(eventId: string, { comment, issue, repository }: Comment) {
  return {
    // An event may come twice; mail programs show what has the same id once.
    messageId: `<${eventId}@negative-comment-email>`,
    from: MAIL_FROM,
    to: MAIL_TO,
    subject: `Negative comment on ${repository.full_name}#${issue.number}: ${issue.title}`,
    text: `${comment.user.login} wrote:\n\n${comment.body}\n\n${comment.html_url}\n`,
  };
}

// Larger than any delivery of GitHub. What fails is answered with 500, and the Broker sends the event again.
const server = fastify({ bodyLimit: 26 * 1024 * 1024, logger: { level: 'error' } });
server.post('/', async ({ headers, body }, reply) => {
  const event = HTTP.toEvent<Comment>({ headers, body });
  if (!(event instanceof CloudEvent) || event.data === undefined) return reply.code(400).send();
  const sentiment = sentimentOf(event.data.comment.body ?? '');
  if (sentiment < 0) await mail.sendMail(mailAbout(event.id, event.data));
  console.log(`${event.data.comment.html_url}: ${sentiment.toFixed(2)}, ${sentiment < 0 ? 'sent' : 'no mail'}`);
  return reply.code(204).send();
});
await server.listen({ host: HOST, port: Number(PORT) });
