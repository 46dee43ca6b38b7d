import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';
import { deliver, LocalDev, PUBLIC_URL, SOURCE, TOKENS } from '../support/local-dev.ts';
import { aSink, stopParts } from '../support/parts.ts';

let local: LocalDev;
beforeEach(async () => void (local = await LocalDev.open()));
afterEach(async () => {
  vi.restoreAllMocks();
  await local.end();
  await stopParts();
});

const problems = () =>
  local.lines.flatMap((line) => (line.type === 'problem' ? [`${line.line}: ${line.message}`] : []));

describe('the address of the webhook', () => {
  it('is the adapter on loopback, where the provider is, too', async () => {
    await local.startReady({ publicUrl: undefined });
    expect(local.hooks()).toEqual([
      expect.stringMatching(new RegExp(`^octo/hello ${local.url('adapter')}/hooks/[0-9a-f-]{36}$`)),
    ]);
    expect(local.url('adapter')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const url = local.hooks()[0]?.split(' ')[1] ?? '';
    expect(await deliver(url, 'wrong')).toMatchObject({ status: 401 });
  });

  it('stays http on loopback under secure: true, and that is said', async () => {
    await local.write('all.yaml', local.secret(), local.source({ secure: true }));
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True');
    expect(local.hooks()).toEqual([expect.stringContaining(` ${local.url('adapter')}/hooks/`)]);
    expect(local.condition('Deployed')).toBe('Deployed=True SecureNotHonoured');
    expect(local.message('Deployed')).toBe(`spec.secure changes nothing here: only ${local.url('adapter')} answers`);
  });

  it('follows secure at --public-url', async () => {
    await local.write('all.yaml', local.secret(), local.source({ secure: true }));
    await local.start({ publicUrl: 'http://tunnel.example.com' });
    await local.becomes('Ready=True');
    expect(local.hooks()).toEqual([expect.stringContaining(' https://tunnel.example.com/hooks/')]);
    expect(local.condition('Deployed')).toBe('Deployed=True');
  });

  it('is --public-url where given', async () => {
    await local.startReady({ publicUrl: 'https://tunnel.example.com/base' });
    expect(local.hooks()).toEqual([
      expect.stringMatching(/^octo\/hello https:\/\/tunnel\.example\.com\/base\/hooks\/[0-9a-f-]{36}$/),
    ]);
  });

  it('is none for a provider elsewhere: it is not called, and the source says what to do', async () => {
    const called = vi.spyOn(globalThis, 'fetch');
    await local.write('all.yaml', local.secret(), local.source({ githubAPIURL: undefined }));
    await local.start({ publicUrl: undefined });
    await local.becomes('Deployed=False NoPublicAddress');
    expect(local.message('Deployed')).toMatch(
      /^https:\/\/api\.github\.com cannot reach this adapter: .*--public-url.*--simulate/,
    );
    expect(local.condition('Ready')).toBe('Ready=False NoPublicAddress');
    await local.stop();
    const hosts = called.mock.calls.map(([url]) => new URL(url instanceof Request ? url.url : url).hostname);
    expect(hosts.filter((host) => host !== '127.0.0.1')).toEqual([]);
  });
});

describe('no source', () => {
  const note = { type: 'note', message: 'there is no source in the manifests' };

  it('in an empty folder: said', async () => {
    await local.start();
    expect(local.lines).toContainEqual(note);
  });

  it('but faults: said', async () => {
    await local.write('source.yaml', '{');
    await local.start();
    expect(local.lines).toContainEqual(note);
  });
});

describe('without access token', () => {
  it('the source says which URL to paste, and the first signed delivery makes it ready', async () => {
    const sink = await aSink();
    await local.write(
      'all.yaml',
      local.secret(),
      local.source({ accessToken: undefined, githubAPIURL: undefined, sink: { uri: sink.url() } }),
    );
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=Unknown WaitingForDelivery');
    const url = /URL (\S+),/.exec(local.message('Ready'))?.[1] ?? '';
    expect(url).toMatch(new RegExp(`^${local.url('adapter')}/hooks/[0-9a-f-]{36}$`));
    expect((await deliver(url, 'forged')).status).toBe(401);
    expect((await deliver(url)).status).toBe(202);
    await local.becomes('Ready=True');
    expect([sink.received.length, local.github.calls]).toEqual([1, []]);
    await local.stop();
    await local.start({ publicUrl: undefined, ports: { adapter: Number(new URL(url).port), broker: 0, dumper: 0 } });
    await local.becomes('Ready=True');
    expect(local.lines.filter((line) => JSON.stringify(line).includes('WaitingForDelivery'))).toEqual([]);
  });
});

describe('what a provider sends is said', () => {
  const deliveries = () => local.lines.filter(({ type }) => type === 'delivery' || type === 'warning');

  it('by source, event and outcome', async () => {
    const sink = await aSink(202, 400);
    const delivery = { deadLetterSink: { uri: (await aSink()).url() } };
    await local.startReady({ publicUrl: undefined });
    await local.write('source.yaml', local.source({ sink: { uri: sink.url() }, delivery }));
    await local.holds(() => expect(local.lines.some(({ type }) => type === 'applied')).toBe(true));
    const url = local.hooks()[0]?.split(' ')[1] ?? '';
    for (const [to, secret] of [[url], [url], [url, 'forged'], [`${url}x`]] as const) await deliver(to ?? '', secret);
    const kept = { type: 'delivery', source: 'default/hello', eventType: 'push', status: 202, outcome: 'kept' };
    const id = expect.any(String) as string;
    const path = `${new URL(url).pathname}x`;
    await local.holds(() => expect(deliveries()).toHaveLength(4));
    expect(deliveries()).toEqual([
      { ...kept, id },
      { ...kept, id, deadLettered: 'sink: answered 400' },
      { type: 'delivery', source: 'default/hello', status: 401, outcome: 'forged' },
      { type: 'delivery', status: 404, outcome: 'unknown-path', detail: path },
    ]);
  });
});

describe('edits are followed', () => {
  beforeEach(() => local.startReady());

  it('of the source', async () => {
    await local.write('source.yaml', local.source({ eventTypes: ['issues', 'push'] }));
    await local.holds(() => expect(local.github.hooks.map(({ events }) => events)).toEqual([['issues', 'push']]));
  });

  it('of the Secret', async () => {
    await local.write('secret.yaml', local.secret({ ...TOKENS, secretToken: 'another' }));
    await local.holds(() => expect(local.github.hooks.map(({ config }) => config.secret)).toEqual(['another']));
  });

  it('a document that is removed takes its webhook along', async () => {
    await local.write('source.yaml', '');
    await local.holds(() => expect(local.lines).toContainEqual({ type: 'gone', object: SOURCE }));
    expect(local.hooks()).toEqual([]);
  });

  it('also when its Secret is removed with it', async () => {
    await local.remove('secret.yaml');
    await local.remove('source.yaml');
    await local.holds(() => expect(local.hooks()).toEqual([]));
  });

  it('a source that comes back has its webhook again, at the same URL', async () => {
    const before = local.hooks();
    await local.remove('source.yaml');
    await local.holds(() => expect(local.hooks()).toEqual([]));
    await local.write('source.yaml', local.source());
    await local.holds(() => expect(local.hooks()).toEqual(before));
  });

  it('a file that changed and is good is said to be applied, once; one with a fault is not', async () => {
    const applied = () => local.lines.filter(({ type }) => type === 'applied');
    expect(applied()).toEqual([]);
    await local.write('source.yaml', '{');
    await local.holds(() => expect(problems()).toHaveLength(1));
    await local.write('secret.yaml', local.secret({ ...TOKENS, secretToken: 'another' }));
    await local.holds(() => expect(local.github.hooks.map(({ config }) => config.secret)).toEqual(['another']));
    expect(applied()).toEqual([{ type: 'applied', file: join(local.manifests, 'secret.yaml') }]);
  });

  it('a broken edit changes nothing until it is repaired', async () => {
    const hooks = local.hooks();
    await local.write('source.yaml', local.source({ eventTypes: 'issues', evntTypes: [] }));
    await local.holds(() => expect(problems()).toHaveLength(2));
    expect(problems()).toEqual([
      expect.stringMatching(/^\d+: spec\.eventTypes must be an array, not a string$/),
      expect.stringMatching(/^\d+: unknown field spec\.evntTypes; did you mean eventTypes\?$/),
    ]);
    await local.write('source.yaml', local.source({ eventTypes: ['issues'] }));
    await local.holds(() => expect(local.github.hooks.map(({ events }) => events)).toEqual([['issues']]));
    await local.stop();
    expect([local.hooks(), local.writes()]).toEqual([hooks, ['POST octo/hello', 'PATCH octo/hello']]);
  });

  it('a state folder that was removed is made anew, and that is said', async () => {
    const before = await local.state();
    await rm(local.stateFolder, { recursive: true });
    await local.write('source.yaml', local.source({ eventTypes: ['issues'] }));
    const message = 'the folder that keeps what a restart must know was gone: it is made anew';
    await local.holds(() => expect(local.lines).toContainEqual({ type: 'warning', from: 'state', message }));
    await local.holds(() => expect(local.github.hooks.map(({ events }) => events)).toEqual([['issues']]));
    expect((await local.state())['key']).toBe(before['key']);
  });

  it('when what a restart must know cannot be kept, that is said once, and all goes on', async () => {
    await rm(local.stateFolder, { recursive: true });
    await mkdir(join(local.stateFolder, 'sources.json', 'x'), { recursive: true });
    for (const eventTypes of [['issues'], ['star']]) {
      await local.write('source.yaml', local.source({ eventTypes }));
      await local.holds(() => expect(local.github.hooks.map(({ events }) => events)).toEqual([eventTypes]));
    }
    expect(local.lines.filter(({ type }) => type === 'warning')).toEqual([
      {
        type: 'warning',
        from: 'state',
        message: expect.stringContaining('what a restart must know cannot be kept: ') as string,
      },
    ]);
  });
});

describe('the end', () => {
  it('leaves webhooks where they are', async () => {
    await local.startReady();
    await local.stop();
    expect([local.hooks().length, local.writes()]).toEqual([1, ['POST octo/hello']]);
  });

  it('removes them when asked to', async () => {
    await local.startReady();
    expect(await local.cleanUp()).toEqual([]);
    expect(local.hooks()).toEqual([]);
  });

  it('names what could not be removed in time', async () => {
    await local.startReady();
    local.github.refuse(500, /^DELETE/);
    expect(await local.cleanUp(300)).toEqual([SOURCE]);
    local.github.refuse(undefined);
  });

  it('--cleanup that could not remove a webhook ends with 1', async () => {
    await local.write('all.yaml', local.secret(), local.source());
    const ports = ['--port', '0', '--broker-port', '0', '--dump-port', '0', '--public-url', PUBLIC_URL];
    const args = ['dev', '-f', 'manifests', ...ports, '--cleanup', '--timeout', '1'];
    const command = HeadwaterProcess.start(args, { cwd: local.folder });
    await command.waitFor(/GitHubSource default\/hello {2}Ready=True/);
    local.github.refuse(500, /^DELETE/);
    const { code, stderr } = await command.signal('SIGINT');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'headwater dev: the webhook of GitHubSource default/hello could not be removed\n',
    });
    local.github.refuse(undefined);
  });

  const commands = [
    { name: 'Ctrl-C leaves webhooks', args: [], signal: 'SIGINT' as const, left: 1 },
    { name: '--cleanup removes them', args: ['--cleanup'], signal: 'SIGINT' as const, left: 0 },
    { name: '--once --cleanup removes them', args: ['--cleanup', '--once'], left: 0 },
  ];
  for (const { name, args, signal, left } of commands)
    it(`of the command: ${name}`, async () => {
      await local.write('all.yaml', local.secret(), local.source());
      const ports = ['--port', '0', '--broker-port', '0', '--dump-port', '0', '--public-url', PUBLIC_URL];
      const command = HeadwaterProcess.start(['dev', '-f', 'manifests', ...ports, ...args], { cwd: local.folder });
      await command.waitFor(/GitHubSource default\/hello {2}Ready=True/);
      const { code, stdout, stderr } = await (signal ? command.signal(signal) : command.ended);
      expect({ code, stderr, hooks: local.hooks().length }).toEqual({ code: 0, stderr: '', hooks: left });
      const stays = '1 webhook stays at the provider for the next time; --cleanup removes them\n';
      expect(stdout.includes(stays)).toBe(left === 1);
    });
});
