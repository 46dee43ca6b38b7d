import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

async function print(message: string): Promise<void> {
  const mail = await PostalMime.parse(message);
  console.log(`✉ to ${mail.to?.map(({ address }) => address).join(', ')}: ${mail.subject}\n${mail.text}`);
}

/** A mail server that takes everything and prints it. */
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData: (stream, _session, done) => callbackify(() => text(stream).then(print))(done),
});
server.on('error', ({ message }) => console.error(message));
server.listen(Number(process.env['PORT']), '127.0.0.1');
