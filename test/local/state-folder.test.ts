import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../core/errors.ts';
import { type RememberedSource, StateFolder } from '../../local/state-folder.ts';

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'headwater-state-'));
  folder = join(parent, '.headwater');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const reference = { kind: 'GitHubSource', namespace: 'default', name: 'hello' };
const remembered: RememberedSource = {
  file: '/some/where.yaml',
  object: {
    apiVersion: 'sources.knative.dev/v1alpha1',
    kind: 'GitHubSource',
    metadata: {
      name: 'hello',
      namespace: 'default',
      uid: '1',
      generation: 2,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { ownerAndRepository: 'a/b' },
    status: { webhookIDKey: '12' },
  },
};

describe('uidOf', () => {
  it('is a UUID of version 5', () => {
    expect(new StateFolder(folder).uidOf(reference)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is the same after a restart', () => {
    expect(new StateFolder(folder).uidOf(reference)).toBe(new StateFolder(folder).uidOf(reference));
  });

  const others: { name: string; other: Partial<typeof reference> }[] = [
    { name: 'name', other: { name: 'other' } },
    { name: 'namespace', other: { namespace: 'demo' } },
    { name: 'kind', other: { kind: 'Secret' } },
    { name: 'place of the same letters', other: { namespace: 'defaul', name: 'thello' } },
  ];
  for (const { name, other } of others)
    it(`is another for another ${name}`, () => {
      const state = new StateFolder(folder);
      expect(state.uidOf({ ...reference, ...other })).not.toBe(state.uidOf(reference));
    });

  it('cannot be guessed: another folder has another key', () => {
    expect(new StateFolder(join(parent, 'other')).uidOf(reference)).not.toBe(new StateFolder(folder).uidOf(reference));
  });
});

describe('versionOf', () => {
  const values = (data: Record<string, string>) =>
    new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)] as const));
  const version = (data: Record<string, string>, at = folder) => new StateFolder(at).versionOf(values(data));

  it('is the same for the same values, in any order, also after a restart', () => {
    expect(version({ b: '2', a: '1' })).toBe(version({ a: '1', b: '2' }));
  });

  const changes: { name: string; data: Record<string, string> }[] = [
    { name: 'a value', data: { a: '1', b: '3' } },
    { name: 'a key', data: { a: '1', c: '2' } },
    { name: 'one key less', data: { a: '1' } },
    { name: 'one key more', data: { a: '1', b: '2', c: '' } },
    { name: 'what is whose', data: { a: '2', b: '1' } },
    { name: 'nothing', data: {} },
  ];
  for (const { name, data } of changes)
    it(`is another for another ${name}`, () => expect(version(data)).not.toBe(version({ a: '1', b: '2' })));

  it('tells nothing of the values without the key', () => {
    expect(version({ a: '1' })).not.toBe(version({ a: '1' }, join(parent, 'other')));
  });
});

describe('the folder', () => {
  it('is for its owner alone, and not for git', async () => {
    new StateFolder(folder).save([remembered]);
    const modes = await Promise.all(
      (await readdir(folder)).map(async (name) => [name, ((await stat(join(folder, name))).mode & 0o777).toString(8)]),
    );
    expect(Object.fromEntries(modes)).toEqual({ '.gitignore': '600', key: '600', 'sources.json': '600' });
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe('700');
    expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('knows no source at first, and later those that were saved last', () => {
    expect(new StateFolder(folder).load()).toEqual([]);
    new StateFolder(folder).save([]);
    new StateFolder(folder).save([remembered]);
    expect(new StateFolder(folder).load()).toEqual([remembered]);
  });

  it('is made anew, with its key, when somebody removed it', async () => {
    const state = new StateFolder(folder);
    await rm(folder, { recursive: true });
    state.save([remembered]);
    const after = new StateFolder(folder);
    expect([after.load(), after.uidOf(reference)]).toEqual([[remembered], state.uidOf(reference)]);
  });

  const broken: { name: string; text: string }[] = [
    { name: 'cut off', text: '[{"file":' },
    { name: 'empty', text: '' },
    { name: 'no list', text: '{}' },
    { name: 'null', text: 'null' },
    { name: 'a list of something else', text: '[1, null]' },
    { name: 'a source without file', text: JSON.stringify([{ object: remembered.object }]) },
    {
      name: 'a source without name',
      text: JSON.stringify([{ ...remembered, object: { ...remembered.object, metadata: {} } }]),
    },
  ];
  for (const { name, text } of broken)
    it(`sources.json is ${name}: it is refused, by its name`, async () => {
      const state = new StateFolder(folder);
      await writeFile(join(folder, 'sources.json'), text);
      expect(() => state.load()).toThrow(ConfigurationError);
      expect(() => state.load()).toThrow(`${join(folder, 'sources.json')} is broken; remove it`);
    });

  it('sources.json that cannot be read is refused, too', async () => {
    const state = new StateFolder(folder);
    await mkdir(join(folder, 'sources.json'));
    expect(() => state.load()).toThrow(ConfigurationError);
  });

  it('that is a file is refused', async () => {
    await writeFile(folder, '');
    expect(() => new StateFolder(folder)).toThrow(ConfigurationError);
    expect(() => new StateFolder(folder)).toThrow(`${folder} cannot be used: ENOTDIR`);
  });

  it('a key that is broken is replaced', async () => {
    const before = new StateFolder(folder).uidOf(reference);
    await writeFile(join(folder, 'key'), 'abc');
    const after = new StateFolder(folder).uidOf(reference);
    expect(after).not.toBe(before);
    expect(new StateFolder(folder).uidOf(reference)).toBe(after);
  });
});
