import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ExampleRun, exampleFolder } from '../support/example-run.ts';

const EXAMPLE = exampleFolder('negative-comment-email');
const comment = (name: string) => join(EXAMPLE, `comments/issue_comment.${name}.json`);

/** Takes mail, but the first one only when it comes again. */
class Mailbox {
  readonly mails: Email[] = [];
  refused = 0;
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => callbackify(() => text(stream).then((message) => this.#take(message)))(done),
  });

  /** Resolves to its URL. */
  async open(): Promise<string> {
    const server = this.#server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(message: string): Promise<void> {
    if (this.refused === 0) {
      this.refused += 1;
      throw Object.assign(new Error('come back later'), { responseCode: 451 });
    }
    this.mails.push(await PostalMime.parse(message));
  }
}

let folder: string;
let mailbox: Mailbox;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-example-'));
  mailbox = new Mailbox();
});
afterEach(async () => {
  await mailbox.close();
  await rm(folder, { recursive: true, force: true });
});

it('a negative comment becomes one e-mail, also when the mail server was away; others become none', async () => {
  const secrets = await readFile(join(EXAMPLE, 'secrets.yaml'), 'utf8');
  await writeFile(join(folder, 'secrets.yaml'), secrets.replace('smtp://127.0.0.1:2525', await mailbox.open()));
  const paths = [join(EXAMPLE, 'negative-comment-email.yaml'), join(folder, 'secrets.yaml')];
  const run = ExampleRun.start(paths, folder);
  await run.sees(/^Service default\/mailer \| \S+#issuecomment-492700400: 0\.\d\d, no mail$/m);
  await run.send(comment('negative'));
  await run.sees(/^broker: Trigger default\/new-comments: http:\S+ answered 500; tried again up to 10 times/m);
  await run.sees(/^Service default\/mailer \| \S+#issuecomment-492700401: -0\.\d\d, sent$/m);
  const edited = (await readFile(comment('negative'), 'utf8')).replace('"created"', '"edited"');
  await writeFile(join(folder, 'issue_comment.edited.json'), edited);
  await run.send(join(folder, 'issue_comment.edited.json'));
  await run.sees(/nobody wants dev\.knative\.source\.github\.issue_comment/);
  await run.send(comment('positive'));
  await run.sees(/^Service default\/mailer \| \S+#issuecomment-492700402: 0\.\d\d, no mail$/m);
  await run.end();
  expect(mailbox.refused).toBe(1);
  expect(mailbox.mails).toMatchObject([
    {
      from: { address: 'headwater@example.com' },
      to: [{ address: 'maintainers@example.com' }],
      subject: 'Negative comment on Codertocat/Hello-World#1: Spelling error in the README file',
      messageId: expect.stringMatching(/^<[0-9a-f-]{36}@negative-comment-email>$/),
      text: expect.stringMatching(
        /^octocat wrote:\n\nThis release is awful\. I wasted two days on a broken upgrade, and nobody cares\.\n\nhttps:\/\/github\.com\/Codertocat\/Hello-World\/issues\/1#issuecomment-492700401\n+$/,
      ),
    },
  ]);
}, 60_000);
