import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headwater } from '../support/headwater.ts';
import { WebhookTarget } from '../support/webhook-target.ts';

let target: WebhookTarget;
beforeEach(async () => {
  target = await WebhookTarget.start();
});
afterEach(() => target.stop());

describe('it refuses with 2, a sentence and a hint, and sends nothing', () => {
  const hint = 'headwater send: see headwater send --help\n';
  const one = 'name one EVENT or FILE (--list shows the events)';
  const url = '--url must be the webhook URL, http or https';
  const cases = [
    {
      name: 'an unknown event',
      args: ['isues'],
      says: 'there is no recorded event "isues", nor a file (--list shows the events)',
    },
    {
      name: 'an event with an action it never has',
      args: ['push.undefined'],
      says: 'there is no recorded event "push.undefined"',
    },
    { name: 'a file that is not there', args: ['./issues.json'], says: './issues.json cannot be read: ENOENT' },
    {
      name: '--event beside a recorded event',
      args: ['push', '--event', 'issues'],
      says: '--event says which event a FILE is',
    },
    { name: 'an id that fits no header', args: ['push', '--id', 'a\nb'], says: '--id must be plain ASCII on one line' },
    { name: 'a file that names no event', args: ['./.json'], says: '--event must say which event ./.json is' },
    { name: 'an empty --event', args: ['./x.json', '--event='], says: '--event must say which event ./x.json is' },
    { name: 'no event', args: [], says: one },
    { name: 'an empty event', args: [''], says: one },
    { name: 'two events', args: ['push', 'ping'], says: one },
    { name: 'an unknown form', args: ['push', '--form', 'xml'], says: '--form must be compact or indented or ' },
    { name: 'an unknown kind', args: ['push', '--kind', 'x'], says: '--kind must be GitHubSource' },
    { name: 'a URL that is none', args: ['push', '--url', 'x'], says: url },
    { name: 'a URL without its scheme', args: ['push', '--url', 'localhost:1/x'], says: url },
    { name: 'no secret file', args: ['push', '--secret-file='], says: '--secret-file must name the file' },
    {
      name: 'a secret file that is not there',
      args: ['push', '--secret-file', './missing'],
      says: './missing cannot be read: ENOENT',
    },
    {
      name: 'an unknown option',
      args: ['push', '--secret', 's'],
      says: 'there is no option --secret; did you mean --secret-file?',
    },
  ];
  for (const { name, args, says } of cases) {
    it(name, async () => {
      const { code, stdout, stderr } = await target.send(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.startsWith(`headwater send: ${says}`)).toBe(true);
      expect(stderr.slice(stderr.indexOf('\n') + 1)).toBe(hint);
      expect(target.server.received).toEqual([]);
    });
  }

  it('a file whose name is no known event', async () => {
    const file = await target.write('my-push.json', '{}');
    const { code, stderr } = await target.send(file);
    const says = `--event must say which event ${file} is: "my-push" is none that is known`;
    expect({ code, stderr }).toEqual({ code: 2, stderr: `headwater send: ${says}\n${hint}` });
    expect(target.server.received).toEqual([]);
  });

  for (const content of ['', '\n', '\r\n']) {
    it(`a secret file that holds ${JSON.stringify(content)}`, async () => {
      const file = await target.write('secret', content);
      const { code, stderr } = await target.send('push');
      expect({ code, stderr }).toEqual({ code: 2, stderr: `headwater send: the secret in ${file} is empty\n${hint}` });
      expect(target.server.received).toEqual([]);
    });
  }

  it('every problem of the command line at once', async () => {
    const { code, stderr } = await headwater('send', '--form', 'xml');
    expect(code).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'headwater send: name one EVENT or FILE (--list shows the events)',
      'headwater send: --url must be the webhook URL, http or https (or name manifests: -f PATH)',
      'headwater send: --secret-file must name the file with the webhook secret',
      'headwater send: --form must be compact or indented or escaped or form',
      ...hint.split('\n'),
    ]);
  });
});
