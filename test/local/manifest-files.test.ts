import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../core/errors.ts';
import { type ManifestContent, ManifestFiles } from '../../local/manifest-files.ts';
import type { ManifestText } from '../../local/manifests.ts';

let folder: string;
/** What was told, in order. */
let told: ManifestContent[];
let files: ManifestFiles | undefined;
/** Ends the present pause. */
let goOn: () => void;
let paused: () => void;
/** In milliseconds. */
let now = 0;

const path = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFile(path(name), text);

/** A name a line, after `=` its uid; `!` is a mistake, `?` a kind that is not known. */
function read(text: string, file: string): ManifestText {
  const lines = text.split('\n').map((name, index) => ({ name, line: index + 1 }));
  const ofKind = (apiVersion: string, kind: string) => ({ apiVersion, kind });
  return {
    problems: lines.filter(({ name }) => name === '!').map(({ line }) => ({ file, line, message: 'mistake' })),
    skipped: lines.filter(({ name }) => name === '?').map(() => ofKind('apps/v1', 'Deployment')),
    manifests: lines
      .filter(({ name }) => /^\w/.test(name))
      .map(({ name: nameAndUid, line }) => {
        const [name = '', uid] = nameAndUid.split('=');
        return { ...ofKind('v1', 'Secret'), metadata: { name, namespace: 'default', uid }, file, line };
      }),
  };
}

async function follow(...paths: string[]): Promise<void> {
  const ready = new Promise<void>((resolve) => (paused = resolve));
  const pause = () =>
    new Promise<void>((resolve) => {
      goOn = resolve;
      paused();
    });
  files = new ManifestFiles({ paths, read, onChange: (content) => void told.push(content), pause, clock: () => now });
  await files.start();
  await ready;
}

/** Lets the files be looked at once. */
async function look(): Promise<void> {
  const ended = new Promise<void>((resolve) => (paused = resolve));
  goOn();
  await ended;
}

/** A change counts when two looks saw the same. */
async function lookTwice(): Promise<void> {
  await look();
  await look();
}

/** So long that what is away is gone. */
async function lookLater(): Promise<void> {
  await lookTwice();
  now += 2000;
  await look();
}

const last = () => told.at(-1);
const names = () => last()?.manifests.map(({ metadata }) => metadata.name);
const problems = () =>
  last()?.problems.map(({ file, line, message }) => `${file.slice(folder.length + 1)}:${line}: ${message}`);
const broken = () => [...(last()?.broken ?? [])];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-files-'));
  told = [];
});
async function stop(): Promise<void> {
  const stopped = files?.stop();
  goOn();
  await stopped;
}

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

describe('at the start', () => {
  it('a file is told of, whatever its name', async () => {
    await write('some.txt', 'a\nb');
    await follow(path('some.txt'));
    expect([told.length, names(), problems(), broken()]).toEqual([1, ['a', 'b'], [], []]);
  });

  it('of a folder the manifests are told of in order, and nothing else', async () => {
    await mkdir(path('deeper'));
    await mkdir(path('folder.yaml'));
    for (const name of ['c.yml', 'b.json', 'a.yaml', 'd.txt', '.e.yaml', 'deeper/f.yaml'])
      await write(name, name[0] ?? '');
    await follow(folder);
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('a file given twice counts once', async () => {
    await write('a.yaml', 'a');
    await follow(folder, path('a.yaml'), path('../') + join(folder.split('/').at(-1) ?? '', 'a.yaml'));
    expect([names(), problems()]).toEqual([['a'], []]);
  });

  it('an empty folder is told of, once', async () => {
    await follow(folder);
    await lookTwice();
    await look();
    expect(told).toEqual([{ manifests: [], problems: [], warnings: [], skipped: [], good: [], broken: new Set() }]);
  });

  it('a path that is not there is refused, by its name', async () => {
    files = new ManifestFiles({ paths: [folder, path('nowhere')], read, onChange: () => undefined });
    const started = files.start();
    await expect(started).rejects.toThrow(ConfigurationError);
    await expect(started).rejects.toThrow(`${path('nowhere')}: no such file or folder`);
    expect(told).toEqual([]);
  });

  it('a broken file has no manifests, and is named', async () => {
    await write('a.yaml', 'a\n!');
    await write('b.yaml', 'b\n?');
    await follow(folder);
    expect([names(), problems(), broken()]).toEqual([['b'], ['a.yaml:2: mistake'], [path('a.yaml')]]);
    expect(last()?.skipped).toEqual([{ apiVersion: 'apps/v1', kind: 'Deployment' }]);
  });
});

describe('from then on', () => {
  beforeEach(async () => {
    await write('a.yaml', 'a');
    await follow(folder);
  });

  it('nothing is told while nothing changes', async () => {
    await lookTwice();
    expect(told).toHaveLength(1);
  });

  it('an edit is told of', async () => {
    await write('a.yaml', 'a\nb');
    await lookTwice();
    expect([told.length, names()]).toEqual([2, ['a', 'b']]);
  });

  it('a file that replaces another of the same size is told of', async () => {
    await write('.new', 'b');
    await rename(path('.new'), path('a.yaml'));
    await lookTwice();
    expect(names()).toEqual(['b']);
  });

  it('a new file and one that is gone are told of', async () => {
    await write('b.yaml', 'b');
    await lookTwice();
    expect(names()).toEqual(['a', 'b']);
    await rm(path('a.yaml'));
    await lookLater();
    expect([told.length, names()]).toEqual([3, ['b']]);
    await rm(path('b.yaml'));
    await lookLater();
    expect([told.length, names()]).toEqual([4, []]);
  });

  it('a file that is away for less than two seconds was never gone', async () => {
    await rm(path('a.yaml'));
    await lookTwice();
    now += 1999;
    await look();
    expect(told).toHaveLength(1);
    await write('a.yaml', 'a');
    await lookTwice();
    expect(told.map(({ manifests }) => manifests.length)).toEqual([1, 1]);
    await rm(path('a.yaml'));
    await lookTwice();
    now += 1999;
    await look();
    expect(told).toHaveLength(2);
  });

  const followed = [
    { name: 'a folder', what: () => folder },
    { name: 'a file', what: () => path('a.yaml') },
  ];
  for (const { name, what } of followed)
    it(`${name} that was named and is gone is a fault, said once, and keeps what it held until it is back`, async () => {
      await stop();
      await follow(what());
      told = [];
      await rename(what(), `${folder}.away`);
      await lookLater();
      await lookLater();
      expect(told).toHaveLength(1);
      expect([names(), broken()]).toEqual([['a'], [what()]]);
      expect(last()?.problems).toEqual([
        { file: what(), line: 0, message: 'it is gone; what it held stays until it is back' },
      ]);
      await rename(`${folder}.away`, what());
      await lookTwice();
      expect([names(), problems(), broken()]).toEqual([['a'], [], []]);
    });

  it('a file that went while its folder was away is gone two seconds after that is back', async () => {
    await rename(folder, `${folder}.away`);
    await lookLater();
    await rm(`${folder}.away/a.yaml`);
    await rename(`${folder}.away`, folder);
    await lookTwice();
    expect(names()).toEqual(['a']);
    await lookLater();
    expect(names()).toEqual([]);
  });

  it('which files changed and are good is told', async () => {
    await write('b.yaml', '!');
    await write('c.yaml', 'c');
    await lookTwice();
    expect(last()?.good).toEqual([path('c.yaml')]);
  });

  it('what is being written is not read before two looks saw the same', async () => {
    for (const text of ['a\n!', 'a\n!!', 'a\nbc']) {
      await write('a.yaml', text);
      await look();
    }
    expect(told).toHaveLength(1);
    await look();
    expect([told.length, names(), problems()]).toEqual([2, ['a', 'bc'], []]);
  });

  it('a file that is removed and made again between two looks, or during one, was never gone', async () => {
    await rm(path('a.yaml'));
    await look();
    await write('a.yaml', 'a\nb');
    await lookTwice();
    expect(told.map(({ manifests }) => manifests.length)).toEqual([1, 2]);
  });

  it('a broken file keeps its last good state until it is repaired', async () => {
    await write('b.yaml', 'b');
    await write('a.yaml', 'x\n!');
    await lookTwice();
    expect([names(), problems(), broken()]).toEqual([['a', 'b'], ['a.yaml:2: mistake'], [path('a.yaml')]]);
    await write('b.yaml', 'b\nc');
    await lookTwice();
    expect([names(), problems(), broken()]).toEqual([['a', 'b', 'c'], [], [path('a.yaml')]]);
    await write('a.yaml', 'x');
    await lookTwice();
    expect([names(), problems(), broken()]).toEqual([['x', 'b', 'c'], [], []]);
  });

  it('a file that cannot be read is broken, not gone', async () => {
    await rm(path('a.yaml'));
    await symlink('a.yaml', path('a.yaml'));
    await lookTwice();
    expect([names(), problems(), broken()]).toEqual([
      ['a'],
      [expect.stringContaining('a.yaml:1: ELOOP')],
      [path('a.yaml')],
    ]);
  });

  it('nor is one that is given by its name', async () => {
    await stop();
    await follow(path('a.yaml'));
    await rm(path('a.yaml'));
    await symlink('a.yaml', path('a.yaml'));
    await lookTwice();
    expect([names(), broken()]).toEqual([['a'], [path('a.yaml')]]);
  });

  it('of a folder that cannot be read, nothing is gone', async () => {
    await rename(folder, `${folder}.away`);
    await symlink(folder, folder);
    await lookTwice();
    expect(names()).toEqual(['a']);
    await rm(folder);
    await rename(`${folder}.away`, folder);
    await lookTwice();
    expect([names(), broken()]).toEqual([['a'], []]);
  });

  it('of objects with one name the first counts, and the other is told of', async () => {
    await write('b.yaml', 'b\n\na');
    await lookTwice();
    expect(names()).toEqual(['a', 'b']);
    expect(problems()).toEqual([
      `b.yaml:3: Secret default/a stands in ${path('a.yaml')}:1 already; this one is ignored`,
    ]);
    expect(broken()).toEqual([]);
    await rm(path('a.yaml'));
    await lookLater();
    expect([names(), last()?.manifests.map(({ file }) => file)]).toEqual([
      ['b', 'a'],
      [path('b.yaml'), path('b.yaml')],
    ]);
  });
});

it('of objects with one uid, as copies have, the first counts', async () => {
  await write('a.yaml', 'a=1\nb=2\nc=1\nd');
  await follow(folder);
  expect([names(), problems()]).toEqual([
    ['a', 'b', 'd'],
    [`a.yaml:3: metadata.uid 1 stands in ${path('a.yaml')}:1 already; this one is ignored`],
  ]);
});

it('looks again by itself', async () => {
  await write('a.yaml', 'a');
  const changed = Promise.withResolvers<ManifestContent>();
  const onChange = (content: ManifestContent) => {
    if (content.manifests.length === 2) changed.resolve(content);
  };
  files = new ManifestFiles({ paths: [folder], read, onChange });
  await files.start();
  await write('a.yaml', 'a\nb');
  expect((await changed.promise).manifests).toHaveLength(2);
});
