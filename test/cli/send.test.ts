import recordings from '@octokit/webhooks-examples' with { type: 'json' };
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';
import { signatureOf, WebhookTarget } from '../support/webhook-target.ts';

// The package's types are of each payload.
const examples = recordings as unknown as readonly { name: string; examples: readonly { action?: string }[] }[];
const { SECRET } = WebhookTarget;
let target: WebhookTarget;
beforeEach(async () => {
  target = await WebhookTarget.start();
});
afterEach(() => target.stop());

function payloadOf(name: string, action?: string): unknown {
  const payloads = examples.find((event) => event.name === name)?.examples;
  return payloads?.find((payload) => action === undefined || payload.action === action);
}

/** Gives every name two addresses, as `localhost` has on most machines: each is tried. */
const TWO_ADDRESSES = [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    import dns from 'node:dns';
    const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }];
    dns.lookup = (_name, _options, done) => done(null, addresses);
  `)}`,
];

describe('headwater send ends with 0 for 2xx alone', () => {
  const answers = [
    { status: 200, code: 0 },
    { status: 202, code: 0 },
    { status: 302, code: 1 },
    { status: 400, code: 1 },
    { status: 401, code: 1 },
    { status: 404, code: 1 },
    { status: 500, code: 1 },
    { status: 503, code: 1 },
  ];
  for (const { status, code } of answers) {
    it(`${code} for ${status}`, async () => {
      target.server.answer(
        (response) => void response.writeHead(status, { location: target.server.url('/other') }).end('a text\n'),
      );
      const ended = await HeadwaterProcess.run(target.argumentsWith('ping', '--id', 'abc'));
      expect(ended).toEqual({ code, stdout: `${status} a text (delivery abc)\n`, stderr: '' });
      expect(target.delivery().path).toBe('/hooks/x');
    });
  }

  for (const host of ['127.0.0.1', 'two-addresses.test']) {
    it(`1 when ${host} refuses the connection`, async () => {
      const args = target.argumentsWith('ping', '--url', `http://${host}:${target.server.port}/`);
      await target.server.close();
      const { code, stdout, stderr } = await HeadwaterProcess.run(args, { nodeOptions: TWO_ADDRESSES });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^headwater send: fetch failed: [^\n]*ECONNREFUSED[^\n]*\n$/);
    });
  }

  it('1 when the connection breaks off', async () => {
    target.server.answer((response) => void response.destroy());
    const { code, stdout, stderr } = await target.send('ping');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^headwater send: fetch failed: [^\n]+\n$/);
  });
});

describe('what it sends', () => {
  it('a recorded event with all headers of the provider, signed over the raw body', async () => {
    const { code, stdout } = await target.send('issues.opened', '--id', '72d3162e-cc78-11e3-81ab-4c9367dc0958');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '202 (delivery 72d3162e-cc78-11e3-81ab-4c9367dc0958)\n' });
    const { body, headers } = target.delivery();
    expect(JSON.parse(body.toString('utf8'))).toEqual(payloadOf('issues', 'opened'));
    expect(headers).toMatchObject({
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-github-event': 'issues',
      'x-github-hook-id': expect.stringMatching(/^\d+$/),
      'x-github-hook-installation-target-id': expect.stringMatching(/^\d+$/),
      'x-github-hook-installation-target-type': 'repository',
      'x-hub-signature': signatureOf(body, SECRET, 'sha1'),
      'x-hub-signature-256': signatureOf(body, SECRET, 'sha256'),
      'content-length': String(body.length),
    });
  });

  it('the first recorded payload for the name alone, with a new id each time', async () => {
    await target.send('push');
    await target.send('push');
    const [first, second] = target.server.received;
    expect(JSON.parse(String(first?.body))).toEqual(payloadOf('push'));
    expect(second?.body).toEqual(first?.body);
    const ids = target.server.received.map(({ headers }) => headers['x-github-delivery']);
    expect(new Set(ids).size).toBe(2);
    expect(ids).toEqual(ids.map(() => expect.stringMatching(/^[\da-f-]{36}$/)));
  });

  const forms = [
    { form: 'compact', written: (payload: unknown) => JSON.stringify(payload) },
    { form: 'indented', written: (payload: unknown) => `${JSON.stringify(payload, null, 2)}\n` },
    { form: 'escaped', written: (payload: unknown) => JSON.stringify(payload).replaceAll('/', '\\/') },
    { form: 'form', written: (payload: unknown) => String(new URLSearchParams({ payload: JSON.stringify(payload) })) },
  ];
  for (const { form, written } of forms) {
    it(`a body written ${form}`, async () => {
      expect(await target.send('issues.opened', '--form', form)).toMatchObject({ code: 0 });
      const { body, headers } = target.delivery();
      expect(body.toString('utf8')).toBe(written(payloadOf('issues', 'opened')));
      expect(headers['content-type']).toBe(form === 'form' ? 'application/x-www-form-urlencoded' : 'application/json');
      expect(headers['x-hub-signature-256']).toBe(signatureOf(body, SECRET, 'sha256'));
    });
  }

  const bytes = Buffer.concat([
    Buffer.from('{"a":1.0,  "n":12345678901234567890,"a":"'),
    Buffer.from([0xff, 0]),
    Buffer.from('"}\r\n'),
  ]);
  const files: { name: string; file: string; options?: string[]; event: string }[] = [
    { name: 'the event of its name', file: 'issues.json', event: 'issues' },
    { name: 'the event of the part before the first dot', file: 'check_run.created.2.json', event: 'check_run' },
    {
      name: 'the event of --event',
      file: 'payload.json',
      options: ['--event', 'issue_comment'],
      event: 'issue_comment',
    },
    {
      name: 'an event the recordings do not know',
      file: 'thing.json',
      options: ['--event', 'thing_happened'],
      event: 'thing_happened',
    },
  ];
  for (const { name, file, options = [], event } of files) {
    it(`the bytes of a file, as ${name}`, async () => {
      expect(await target.send(await target.write(file, bytes), ...options)).toMatchObject({ code: 0 });
      const { body, headers } = target.delivery();
      expect(body.equals(bytes)).toBe(true);
      expect(headers).toMatchObject({
        'x-github-event': event,
        'x-hub-signature-256': signatureOf(bytes, SECRET, 'sha256'),
      });
    });
  }

  it('the bytes of a file that has the name of a recorded event, when --event says what it is', async () => {
    await target.write('push', bytes);
    const args = target.argumentsWith('push', '--event', 'issues');
    expect(await HeadwaterProcess.run(args, { cwd: target.folder })).toMatchObject({ code: 0 });
    const { body, headers } = target.delivery();
    expect(body.equals(bytes)).toBe(true);
    expect(headers['x-github-event']).toBe('issues');
  });

  it('the bytes of a file within a form', async () => {
    await target.send(await target.write('issues.json', bytes), '--form', 'form');
    const { body } = target.delivery();
    const [name, value = ''] = body.toString('latin1').split('=');
    const decoded = value
      .replaceAll('+', ' ')
      .replace(/%(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    expect(name).toBe('payload');
    expect(Buffer.from(decoded, 'latin1').equals(bytes)).toBe(true);
  });

  for (const { content, secret } of [
    { content: 's', secret: 's' },
    { content: 's\n', secret: 's' },
    { content: 's\r\n', secret: 's' },
    { content: 's\n\n', secret: 's\n' },
    { content: ' s ', secret: ' s ' },
  ]) {
    it(`signed with ${JSON.stringify(secret)} when the file holds ${JSON.stringify(content)}`, async () => {
      await target.write('secret', content);
      expect(await target.send('ping')).toMatchObject({ code: 0 });
      const { body, headers } = target.delivery();
      expect(headers['x-hub-signature-256']).toBe(signatureOf(body, secret, 'sha256'));
    });
  }
});

describe('the text of the reply', () => {
  const texts = [
    {
      name: 'control characters',
      text: '\x1b]0;x\x07\x9b2J\u202e\0',
      shown: '\\u001b]0;x\\u0007\\u009b2J\\u202e\\u0000',
    },
    { name: 'several lines', text: '<html>\r\n\t<p>no</p>\n', shown: '<html> <p>no</p>' },
    { name: 'a long text', text: 'x'.repeat(1_000_000), shown: 'x'.repeat(4096) },
  ];
  for (const { name, text, shown } of texts) {
    it(`is safe on a terminal: ${name}`, async () => {
      target.server.answer((response) => void response.writeHead(500).end(text));
      expect(await target.send('ping', '--id', '1')).toEqual({
        code: 1,
        stdout: `500 ${shown} (delivery 1)\n`,
        stderr: '',
      });
    });
  }

  it('is not awaited to its end', async () => {
    target.server.answer((response) => void response.writeHead(200).write('x'.repeat(8192)));
    expect(await target.send('ping', '--id', '1')).toEqual({
      code: 0,
      stdout: `200 ${'x'.repeat(4096)} (delivery 1)\n`,
      stderr: '',
    });
  });
});

it('--list names the 58 recorded events with their actions', async () => {
  const { code, stdout, stderr } = await HeadwaterProcess.run(['send', '--list']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const listed = stdout.trimEnd().split('\n');
  expect(listed).toHaveLength(58);
  expect(listed.map((line) => line.split('  '))).toEqual(
    examples.map(({ name, examples: payloads }) => {
      const actions = new Set(payloads.flatMap(({ action }) => action ?? []));
      return actions.size === 0 ? [name] : [name, [...actions].join(' ')];
    }),
  );
});
