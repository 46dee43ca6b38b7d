import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RouteTable } from '../../adapter/route-table.ts';
import { RoutesDir } from '../../adapter/routes-dir.ts';
import { parseServableRoute as parseServable } from '../../adapter/servable-route.ts';
import { definitionOf } from '../../sources/registry.ts';
import { aRoute } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { type LogLine, TestAdapter } from '../support/test-adapter.ts';

let folder: string;
let elsewhere: string;
let table: RouteTable;
let reader: RoutesDir;
let lines: LogLine[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-routes-'));
  elsewhere = await mkdtemp(join(tmpdir(), 'headwater-elsewhere-'));
  table = new RouteTable(definitionOf);
  lines = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
  reader = new RoutesDir({ folder, parse: parseServable, routes: table, log });
});
afterEach(async () => {
  await reader.stop();
  for (const made of [folder, elsewhere]) await rm(made, { recursive: true, force: true });
});

const write = (route: object, name: string) => writeFile(join(folder, name), JSON.stringify(route));
const served = () => Object.fromEntries(table.all().map(({ route }) => [route.uid, route.generation]));

describe('a folder of route files', () => {
  it('is read before start() resolves', async () => {
    await write(aRoute({ uid: 'a' }), 'a.json');
    await write(aRoute({ uid: 'b', generation: 4 }), 'b.json');
    await write({}, 'notes.txt');
    await reader.start();
    expect(served()).toEqual({ a: 1, b: 4 });
  });

  it('is followed: a file added, edited, removed', async () => {
    await reader.start();
    await write(aRoute({ uid: 'a' }), 'a.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 1 });
    await write(aRoute({ uid: 'a', generation: 2 }), 'a.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 2 });
    await rm(join(folder, 'a.json'));
    await expect.poll(served, { timeout: 1000 }).toEqual({});
    expect(table.find('/hooks/a')).toBeUndefined();
  });

  it('keeps what is added while it is read for the first time', async () => {
    // What happens behind the link is no change of the folder.
    const slow = join(elsewhere, 'slow.json');
    execFileSync('mkfifo', [slow]);
    await symlink(slow, join(folder, 'slow.json'));
    const started = reader.start();
    // Opens when the reader has come to the pipe, where it waits until something is written.
    const pipe = await open(slow, 'w');
    await write(aRoute({ uid: 'new' }), 'new.json');
    // Time enough for a second read that does not wait for the first.
    await sleep(200);
    const text = JSON.stringify(aRoute({ uid: 'slow' }));
    await writeFile(`${slow}.next`, text);
    await rename(`${slow}.next`, slow);
    await pipe.writeFile(text);
    await pipe.close();
    await started;
    await expect.poll(served, { timeout: 1000 }).toEqual({ new: 1, slow: 1 });
  });

  it('is followed while something in it changes without end', async () => {
    await reader.start();
    const noise = setInterval(() => void write({}, 'noise.txt'), 5);
    try {
      await write(aRoute({ uid: 'a' }), 'a.json');
      await expect.poll(served, { timeout: 1000 }).toEqual({ a: 1 });
    } finally {
      clearInterval(noise);
    }
  });

  it('is looked through now and then, for what the system does not tell of', async () => {
    const file = join(elsewhere, 'a.json');
    await writeFile(file, JSON.stringify(aRoute({ uid: 'a' })));
    await symlink(file, join(folder, 'a.json'));
    await reader.start({ rescanMs: 50 });
    await writeFile(file, JSON.stringify(aRoute({ uid: 'a', generation: 2 })));
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 2 });
  });

  const broken = [
    { name: 'half a file', text: '{"version": 1, "uid": "a', message: 'not JSON' },
    { name: 'an empty file', text: '', message: 'not JSON' },
    { name: 'a list', text: '[]', message: 'not a JSON object' },
    {
      name: 'an empty secret',
      text: JSON.stringify(aRoute({ uid: 'a', secretTokens: [{ value: '' }] })),
      message: 'secretTokens',
    },
    { name: 'no secret', text: JSON.stringify(aRoute({ uid: 'a', secretTokens: [] })), message: 'secretTokens' },
    { name: 'an unknown kind', text: JSON.stringify(aRoute({ uid: 'a', kind: 'FaxSource' })), message: 'FaxSource' },
    { name: 'a later version', text: JSON.stringify({ ...aRoute({ uid: 'a' }), version: 2 }), message: 'version' },
  ];
  for (const { name, text, message } of broken) {
    it(`keeps the last good route when it finds ${name}, and says why`, async () => {
      await write(aRoute({ uid: 'a', generation: 7, secretTokens: [{ value: 'se-cret' }] }), 'a.json');
      await reader.start();
      await writeFile(join(folder, 'a.json'), text);
      await expect.poll(() => lines.filter(({ level }) => level === 50).length, { timeout: 1000 }).toBeGreaterThan(0);
      expect(lines.find(({ level }) => level === 50)).toMatchObject({
        file: 'a.json',
        error: expect.stringContaining(message),
      });
      expect(served()).toEqual({ a: 7 });
      expect(JSON.stringify(lines)).not.toContain('se-cret');
      await write(aRoute({ uid: 'a', generation: 8 }), 'a.json');
      await expect.poll(served, { timeout: 1000 }).toEqual({ a: 8 });
    });
  }

  it('refuses a second source at a path that is held', async () => {
    await write(aRoute({ uid: 'a', path: '/hooks/x' }), 'a.json');
    await write(aRoute({ uid: 'b', path: '/hooks/x' }), 'b.json');
    await reader.start();
    expect(served()).toEqual({ a: 1 });
    expect(table.find('/hooks/x')?.route.uid).toBe('a');
  });

  it('a renamed file loses nothing in between', async () => {
    await write(aRoute({ uid: 'a' }), 'a.json');
    await reader.start();
    const before = table.find('/hooks/a')?.state;
    await rename(join(folder, 'a.json'), join(folder, 'other.json'));
    await expect.poll(() => lines.some(({ file }) => file === 'other.json'), { timeout: 1000 }).toBe(true);
    expect(table.find('/hooks/a')?.state).toBe(before);
  });

  it('is found again after it was replaced by another folder', async () => {
    await write(aRoute({ uid: 'a' }), 'a.json');
    await reader.start({ lookMs: 50 });
    await rename(folder, `${folder}-old`);
    await mkdir(folder);
    await write(aRoute({ uid: 'b' }), 'b.json');
    await expect.poll(served, { timeout: 2000 }).toEqual({ b: 1 });
    await write(aRoute({ uid: 'b', generation: 2 }), 'b.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ b: 2 });
    await rm(`${folder}-old`, { recursive: true });
  });

  it('that vanishes leaves what is served, and is said', async () => {
    await write(aRoute({ uid: 'a' }), 'a.json');
    await reader.start({ lookMs: 50 });
    await rm(folder, { recursive: true });
    await expect
      .poll(() => lines.some(({ msg }) => msg === 'route folder not read; what is served stays'), { timeout: 2000 })
      .toBe(true);
    expect(served()).toEqual({ a: 1 });
  });

  it('that is not there at the start is an error', async () => {
    const log = pino({ level: 'silent' });
    const missing = new RoutesDir({ folder: join(folder, 'none'), parse: parseServable, routes: table, log });
    await expect(missing.start()).rejects.toThrow('ENOENT');
  });

  it('with two files for one source serves the first by name, and the other when that goes', async () => {
    await write(aRoute({ uid: 'a', generation: 1 }), 'a.json');
    await write(aRoute({ uid: 'a', generation: 2 }), 'b.json');
    await reader.start();
    expect(served()).toEqual({ a: 1 });
    expect(lines).toContainEqual(expect.objectContaining({ file: 'b.json', first: 'a.json' }));
    await rm(join(folder, 'a.json'));
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 2 });
    await write(aRoute({ uid: 'a', generation: 1 }), 'a.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 1 });
  });

  it('serves a route whose path was held as soon as the holder goes', async () => {
    await write(aRoute({ uid: 'a', path: '/hooks/x' }), 'a.json');
    await write(aRoute({ uid: 'b', path: '/hooks/x' }), 'b.json');
    await reader.start();
    await rm(join(folder, 'a.json'));
    await expect.poll(served, { timeout: 1000 }).toEqual({ b: 1 });
    expect(table.find('/hooks/x')?.route.uid).toBe('b');
  });

  it('lets a file give its path to another uid', async () => {
    await write(aRoute({ uid: 'a', path: '/hooks/x' }), 'a.json');
    await reader.start();
    await write(aRoute({ uid: 'b', path: '/hooks/x' }), 'a.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ b: 1 });
  });

  it('serves an edited path, and the former one no more', async () => {
    await write(aRoute({ uid: 'a', path: '/hooks/old' }), 'a.json');
    await reader.start();
    await write(aRoute({ uid: 'a', path: '/hooks/new', generation: 2 }), 'a.json');
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 2 });
    expect([table.find('/hooks/old'), table.find('/hooks/new')?.route.uid]).toEqual([undefined, 'a']);
  });

  it('says which fields of a file nobody reads', async () => {
    await write({ ...aRoute({ uid: 'a' }), eventTipes: ['push'] }, 'a.json');
    await reader.start();
    expect(served()).toEqual({ a: 1 });
    expect(lines).toContainEqual(expect.objectContaining({ file: 'a.json', unknownFields: ['eventTipes'] }));
  });

  it('says of a new broken file that nothing is served for it', async () => {
    await writeFile(join(folder, 'a.json'), '{\n  "a" 1\n}');
    await reader.start();
    expect(lines).toContainEqual(
      expect.objectContaining({
        error: expect.stringContaining('not JSON (line 2 column 7)'),
        msg: expect.stringContaining('nothing is served'),
      }),
    );
  });
});

describe('a Secret as kubelet mounts it', () => {
  /** kubelet writes a new folder, a new link to it, and renames the link over `..data`. */
  const mount = async (version: string, routes: Readonly<Record<string, object>>) => {
    await mkdir(join(folder, `..${version}`));
    for (const [name, route] of Object.entries(routes)) {
      await writeFile(join(folder, `..${version}`, name), JSON.stringify(route));
    }
    await symlink(`..${version}`, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    for (const name of Object.keys(routes)) {
      await symlink(join('..data', name), join(folder, name)).catch(() => undefined);
    }
  };

  it('is followed through the swap of ..data', async () => {
    await mount('2026_01', { 'a.json': aRoute({ uid: 'a' }) });
    await reader.start();
    expect(served()).toEqual({ a: 1 });
    await mount('2026_02', { 'a.json': aRoute({ uid: 'a', generation: 2 }) });
    await rm(join(folder, '..2026_01'), { recursive: true });
    await expect.poll(served, { timeout: 1000 }).toEqual({ a: 2 });
  });
});

it('an edit under load drops no connection and loses no delivery', async () => {
  const [first, second] = await Promise.all([FakeSink.start(), FakeSink.start()]);
  const adapter = await TestAdapter.start([aRoute({ sink: { url: first.url() } })]);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const statuses: number[] = [];
  let editing = true;
  const clients = Array.from({ length: 8 }, async () => {
    while (editing) statuses.push((await post(adapter, aDelivery(), undefined, agent)).status);
  });
  for (let generation = 2; generation <= 21; generation += 1) {
    const sink = { url: (generation % 2 ? second : first).url() };
    await adapter.write(aRoute({ generation, sink }));
    await expect.poll(async () => (await adapter.stateOf('0a1b2c3d'))?.generation, { interval: 5 }).toBe(generation);
  }
  editing = false;
  await Promise.all(clients);
  expect(new Set(statuses)).toEqual(new Set([202]));
  expect(first.received.length + second.received.length).toBe(statuses.length);
  expect(Math.min(first.received.length, second.received.length)).toBeGreaterThan(0);
  agent.destroy();
  await adapter.stop();
  await Promise.all([first.close(), second.close()]);
});
