import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../core/errors.ts';
import { LocalDev, PUBLIC_URL, SOURCE, TOKENS } from '../support/local-dev.ts';

let local: LocalDev;
beforeEach(async () => void (local = await LocalDev.open()));
afterEach(() => local.end());

const path = (name: string) => join(local.manifests, name);
const isHook = (repository: string) => expect.stringContaining(`${repository} ${PUBLIC_URL}/hooks/`) as string;

describe('after a restart', () => {
  beforeEach(async () => {
    await local.startReady();
    await local.stop();
  });

  it('a source finds its webhook again, and writes nothing', async () => {
    const before = local.hooks();
    await local.start();
    await local.looksAt('octo/hello');
    await local.stop();
    expect([local.hooks(), local.writes()]).toEqual([before, []]);
  });

  it('a Secret that was written anew with the same values writes nothing', async () => {
    const { accessToken, secretToken } = TOKENS;
    const data = { secretToken: Buffer.from(secretToken).toString('base64') };
    await local.write('secret.yaml', { ...local.secret({ accessToken }), data });
    await local.start();
    await local.looksAt('octo/hello');
    await local.stop();
    expect(local.writes()).toEqual([]);
  });

  it('a Secret that was edited reaches the webhook', async () => {
    await local.write('secret.yaml', local.secret({ ...TOKENS, secretToken: 'another' }));
    await local.start();
    await local.holds(() => expect(local.github.hooks.map(({ config }) => config.secret)).toEqual(['another']));
    await local.stop();
    expect(local.writes()).toEqual(['PATCH octo/hello']);
  });

  it('events that were edited reach the webhook', async () => {
    await local.write('source.yaml', local.source({ eventTypes: ['issues'] }));
    await local.start();
    await local.holds(() => expect(local.github.hooks.map(({ events }) => events)).toEqual([['issues']]));
    await local.stop();
    expect(local.writes()).toEqual(['PATCH octo/hello']);
  });

  it('a source whose document is gone loses its webhook', async () => {
    await local.write('source.yaml', '# nothing');
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([]));
    await local.stop();
    expect(local.writes()).toEqual(['DELETE octo/hello']);
    expect(JSON.parse((await local.state())['sources.json'] ?? '')).toEqual([]);
  });

  it('a source whose file is gone loses its webhook', async () => {
    await local.remove('source.yaml');
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([]));
  });

  it('a source of another repository has a webhook there, and none where it was', async () => {
    await local.write('source.yaml', local.source({ ownerAndRepository: 'octo/other' }));
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([isHook('octo/other')]));
    await local.stop();
    expect(local.writes()).toEqual(['POST octo/other', 'DELETE octo/hello']);
  });

  it('a source under another name is another one', async () => {
    const [before] = local.hooks();
    await local.write('source.yaml', local.source({}, 'second'));
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([isHook('octo/second')]));
    expect(local.hooks()[0]?.split(' ')[1]).not.toBe(before?.split(' ')[1]);
  });

  it('a source that was given a uid of its own is another one', async () => {
    const source = local.source() as { metadata: object };
    await local.write('source.yaml', { ...source, metadata: { ...source.metadata, uid: 'my-own-uid' } });
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([`octo/hello ${PUBLIC_URL}/hooks/my-own-uid`]));
  });

  it('nothing is said of a source, nor counted, before it was looked at', async () => {
    local.github.refuse(500, /./);
    await local.start();
    const completion = await local.complete(1500);
    expect(completion?.missing).toEqual([expect.stringMatching(/is not ready: ReconciliationFailed: .* 500/)]);
    const said = local.lines.flatMap((line) => (line.type === 'condition' ? [line.condition] : []));
    expect(said.filter(({ type }) => ['Ready', 'WebhookConfigured'].includes(type))).not.toContainEqual(
      expect.objectContaining({ status: 'True' }),
    );
    const first = local.lines.find(({ type }) => type === 'sources');
    expect(first).toMatchObject({ sources: [{ ready: expect.not.stringMatching('True') as string }] });
    local.github.refuse(undefined);
  });

  it('a broken file takes nothing away, holds its sources back, and repaired writes nothing', async () => {
    const before = local.hooks();
    const remembered = (await local.state())['sources.json'];
    await local.write('source.yaml', '{');
    await local.write('second.yaml', local.source({}, 'second'));
    await local.start();
    expect(local.lines).toContainEqual(expect.objectContaining({ type: 'problem', file: path('source.yaml') }));
    await local.becomes('Ready=True', 'GitHubSource default/second');
    expect([local.github.calls.filter((call) => call.includes('octo/hello')), local.hooks()[0]]).toEqual([
      [],
      before[0],
    ]);
    expect((await local.state())['sources.json']).toContain('octo/hello');
    expect(local.lines.filter((line) => 'object' in line && line.object === SOURCE)).toEqual([]);
    await local.remove('second.yaml');
    await local.holds(() => expect(local.hooks()).toEqual(before));
    expect(JSON.parse((await local.state())['sources.json'] ?? '')).toEqual(JSON.parse(remembered ?? ''));
    local.github.calls.length = 0;
    await local.write('source.yaml', local.source());
    await local.looksAt('octo/hello');
    await local.stop();
    expect([local.hooks(), local.writes()]).toEqual([before, []]);
  });

  it('a removal that could not be done is done then', async () => {
    await local.start();
    local.github.refuse(500, /^DELETE/);
    await local.remove('source.yaml');
    await local.becomes('Ready=False WebhookDeletionFailed');
    await local.stop();
    local.github.refuse(undefined);
    await local.start();
    await local.holds(() => expect(local.hooks()).toEqual([]));
  });

  it('a broken sources.json is named, and nothing is done', async () => {
    await writeFile(join(local.stateFolder, 'sources.json'), '{');
    const started = local.start();
    await expect(started).rejects.toThrow(ConfigurationError);
    await expect(started).rejects.toThrow(join(local.stateFolder, 'sources.json'));
    expect(local.github.calls).toEqual([]);
  });
});

describe('other manifests under the same state folder', () => {
  const first = () => ({ paths: [path('secret.yaml'), path('source.yaml')] });
  const second = () => ({ paths: [path('secret.yaml'), path('second.yaml')] });

  beforeEach(async () => {
    await local.startReady(first());
    await local.stop();
    await local.write('second.yaml', local.source({}, 'second'));
    await local.start(second());
    await local.becomes('Ready=True', 'GitHubSource default/second');
    await local.stop();
  });

  it('leave the webhooks of the others alone', () => {
    expect(local.hooks()).toEqual([isHook('octo/hello'), isHook('octo/second')]);
    expect(local.writes()).toEqual(['POST octo/second']);
  });

  it('keep in mind what the others have', async () => {
    await local.write('source.yaml', '');
    await local.start(first());
    await local.holds(() => expect(local.hooks()).toEqual([isHook('octo/second')]));
    await local.stop();
    await local.start(second());
    await local.looksAt('octo/second');
    await local.stop();
    expect([local.hooks(), local.writes()]).toEqual([[isHook('octo/second')], []]);
  });

  it('that hold a source which moved there take it over: its old webhook goes when the repository is another', async () => {
    await local.remove('source.yaml');
    await local.write('moved.yaml', local.source({ ownerAndRepository: 'octo/moved' }));
    await local.start({ paths: [path('secret.yaml'), path('moved.yaml')] });
    await local.holds(() => expect(local.hooks()).toEqual([isHook('octo/second'), isHook('octo/moved')]));
    await local.stop();
    const remembered = JSON.parse((await local.state())['sources.json'] ?? '') as { file: string }[];
    expect(remembered.map(({ file }) => file).toSorted()).toEqual([path('moved.yaml'), path('second.yaml')]);
  });

  it('a file that was only renamed: nothing is written', async () => {
    await rename(path('source.yaml'), path('renamed.yaml'));
    await local.start({ paths: [path('secret.yaml'), path('renamed.yaml')] });
    await local.looksAt('octo/hello');
    await local.stop();
    expect(local.writes()).toEqual([]);
  });
});

describe('the state folder', () => {
  it('holds no value of a Secret, in no form', async () => {
    await local.startReady();
    await local.write('secret.yaml', local.secret({ ...TOKENS, secretToken: 'the very secret, edited' }));
    await local.holds(() => expect(local.writes()).toContain('PATCH octo/hello'));
    await local.stop();
    const values = [...Object.values(TOKENS), 'the very secret, edited'];
    const forms = values.flatMap((value) => [
      value,
      encodeURIComponent(value),
      ...(['base64', 'hex'] as const).map((encoding) => Buffer.from(value).toString(encoding)),
      createHash('sha256').update(value).digest('hex'),
    ]);
    const state = await local.state();
    expect(Object.keys(state).toSorted()).toEqual(['.gitignore', 'key', 'sources.json']);
    expect(state['sources.json']).toContain('octo/hello');
    for (const text of Object.values(state)) expect(forms.filter((form) => text.includes(form))).toEqual([]);
  });

  it('remembers nothing of what was simulated', async () => {
    await local.write('all.yaml', local.secret(), local.source());
    await local.start({ simulate: { port: 0, fault: undefined, secret: undefined } });
    await local.becomes('Ready=True');
    await local.stop();
    expect([Object.keys(await local.state()).toSorted(), local.github.calls]).toEqual([['.gitignore', 'key'], []]);
  });
});
