import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BROKER, DEPLOYMENT, KNATIVE_SERVICE, SERVICE, SINK_BINDING, TRIGGER } from '../../local/kinds.ts';
import { HeadwaterProcess } from '../support/headwater.ts';
import { isLiving } from '../support/living.ts';
import { deliver, LocalDev } from '../support/local-dev.ts';

let local: LocalDev;
beforeEach(async () => void (local = await LocalDev.open()));
afterEach(() => local.end());

const run = { env: { PATH: process.env['PATH'], INHERITED: 'yes' } };
const start = () => local.start({ run: run.env, publicUrl: undefined });

const broker = { ...BROKER, metadata: { name: 'default' } };
const toBroker = { ref: { ...BROKER, name: 'default' } };
const running = (kind: object, command: string, spec: object = {}, metadata: object = {}) => ({
  ...kind,
  metadata: { name: 'app', annotations: { 'local.headwater.dev/command': command }, ...metadata },
  spec,
});
const pods = (env: object[] = []) => ({
  template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'app', image: 'app', env }] } },
});
const binding = (subject: object = { ...DEPLOYMENT, name: 'app' }, spec: object = {}) => ({
  ...SINK_BINDING,
  metadata: { name: 'app' },
  spec: { subject, sink: toBroker, ...spec },
});

/** What the command wrote, line by line. */
const output = (object = 'Deployment default/app') =>
  local.lines.flatMap((line) => (line.type === 'output' && line.object === object ? [line.text] : []));
const writes = (...lines: unknown[]) => local.holds(() => expect(output()).toEqual(lines));
/** Each state of the one condition that was printed. */
const said = (object: string) =>
  local.lines.flatMap((line) => (line.type === 'condition' && line.object === object ? [line.condition.status] : []));
const dies = (pid: number) => local.holds(async () => expect(await isLiving(pid)).toBe(false));

describe('a command', () => {
  it('runs beside its file, with PORT, the environment of its container, and what its SinkBinding says', async () => {
    const env = [
      { name: 'PLAIN', value: 'a b' },
      { name: 'EMPTY' },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'github', key: 'secretToken' } } },
      { name: 'GONE', valueFrom: { secretKeyRef: { name: 'github', key: 'gone', optional: true } } },
    ];
    const print =
      'echo $PWD; echo "$K_SINK $K_CE_OVERRIDES"; echo "$INHERITED,$PLAIN,${EMPTY-unset},$SECRET,${GONE-unset},$PORT"; sleep 99';
    const overrides = { ceOverrides: { extensions: { a: 'b' } } };
    await local.write(
      'all.yaml',
      broker,
      running(DEPLOYMENT, print, pods(env)),
      binding(undefined, overrides),
      local.secret(),
    );
    await start();
    const url = `${new URL(local.url('broker')).origin}/default/default`;
    await writes(
      local.manifests,
      `${url} {"extensions":{"a":"b"}}`,
      expect.stringMatching(/^yes,a b,,the very secret,unset,\d+$/),
    );
    // A Deployment need not listen.
    await local.becomes('Ready=True', 'Deployment default/app');
  });

  it('reaches here what its environment names as in a cluster', async () => {
    const env = [{ name: 'K_SINK', value: 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default' }];
    await local.write('all.yaml', running(KNATIVE_SERVICE, 'echo "$K_SINK"; sleep 99', pods(env)));
    await start();
    await local.holds(() => expect(output('Service default/app')).toEqual([env[0]?.value]));
    await local.write('broker.yaml', broker);
    const url = `${new URL(local.url('broker')).origin}/default/default`;
    await local.holds(() => expect(output('Service default/app').at(-1)).toBe(url));
  });

  const subjects: { name: string; kind: object; subject: object; bound: boolean }[] = [
    { name: 'a Knative Service', kind: KNATIVE_SERVICE, subject: { ...KNATIVE_SERVICE, name: 'app' }, bound: true },
    {
      name: 'labels',
      kind: DEPLOYMENT,
      subject: { ...DEPLOYMENT, selector: { matchLabels: { a: 'b' } } },
      bound: true,
    },
    {
      name: 'other labels',
      kind: DEPLOYMENT,
      subject: { ...DEPLOYMENT, selector: { matchLabels: { a: 'c' } } },
      bound: false,
    },
    { name: 'another name', kind: DEPLOYMENT, subject: { ...DEPLOYMENT, name: 'other' }, bound: false },
  ];
  for (const { name, kind, subject, bound } of subjects)
    it(`has K_SINK where a SinkBinding is for it, by ${name}: ${bound}`, async () => {
      const object = running(kind, 'echo "sink $K_SINK"; sleep 99', {});
      Object.assign(object.metadata, { labels: { a: 'b' } });
      await local.write('all.yaml', broker, object, binding(subject, { ceOverrides: undefined }));
      await start();
      const from = kind === DEPLOYMENT ? 'Deployment default/app' : 'Service default/app';
      await local.holds(() => expect(output(from)).toEqual([expect.stringMatching(bound ? /^sink http/ : /^sink $/)]));
      await local.becomes(bound ? 'Ready=True' : 'Ready=False SubjectMissing', 'SinkBinding default/app');
    });

  it('waits for a sink, and for the Secrets its environment names', async () => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'github', key: 'secretToken' } } }];
    await local.write('all.yaml', running(DEPLOYMENT, 'echo "$A $K_SINK"; sleep 99', pods(env)), binding());
    await start();
    await local.becomes('Ready=False NotFound', 'SinkBinding default/app');
    await local.becomes('Ready=False EnvironmentNotFound', 'Deployment default/app');
    expect(local.message('Ready', 'Deployment default/app')).toBe(
      'env A: there is no key secretToken in a Secret default/github: create it',
    );
    await local.write('secret.yaml', local.secret());
    await local.becomes('Ready=False SinkBindingNotReady', 'Deployment default/app');
    await local.write('broker.yaml', broker);
    await writes(expect.stringMatching(/^the very secret http/));
  });

  it('that ends is said to, and started again', async () => {
    await local.write('all.yaml', running(DEPLOYMENT, 'echo once; exit 3'));
    await start();
    await local.becomes('Ready=False CommandEnded', 'Deployment default/app');
    expect(local.message('Ready', 'Deployment default/app')).toBe(
      'its command exited with 3; it is started again in 1 s, or when its document changes',
    );
    await local.holds(() => expect(output().length).toBeGreaterThan(1));
  });

  it('is started anew when its document changes, on the same port, and at once', async () => {
    const scaled = (replicas: number) => running(DEPLOYMENT, 'echo "$PORT $$"; sleep 99', { replicas });
    await local.write('all.yaml', scaled(1));
    await start();
    await local.holds(() => expect(output()).toHaveLength(1));
    const [port, pid] = output()[0]?.split(' ') ?? [];
    await local.write('all.yaml', scaled(2));
    await local.holds(() => expect(output()).toHaveLength(2));
    expect(output()[1]).toMatch(new RegExp(`^${port} `));
    expect(await isLiving(Number(pid))).toBe(false);
  });

  it('ends with its document, and so does what it started', async () => {
    await local.write('all.yaml', running(DEPLOYMENT, 'sleep 99 & echo $!; echo $$; wait'), broker);
    await start();
    await local.holds(() => expect(output()).toHaveLength(2));
    await local.write('all.yaml', broker);
    for (const pid of output()) await dies(Number(pid));
    await local.holds(() => expect(local.lines).toContainEqual({ type: 'gone', object: 'Deployment default/app' }));
  });

  it('that does not end when asked to is ended at the end', async () => {
    await local.write('all.yaml', running(DEPLOYMENT, `trap '' TERM; echo $$; while true; do sleep 1; done`));
    await start();
    await local.holds(() => expect(output()).toHaveLength(1));
    expect(await isLiving(Number(output()[0]))).toBe(true);
    await local.stop();
    expect(await isLiving(Number(output()[0]))).toBe(false);
  });

  it('is not run without being asked to', async () => {
    const object = running(SERVICE, 'echo run');
    await local.write('all.yaml', broker, object, { ...object, ...DEPLOYMENT }, binding());
    await local.start();
    await local.becomes('Ready=False NotRun', 'Service default/app');
    await local.becomes('Ready=False NotRun', 'Deployment default/app');
    await local.becomes('Ready=True', 'SinkBinding default/app');
    expect(local.message('Ready', 'SinkBinding default/app')).toMatch(/^start its subject with K_SINK=http:.*default$/);
    await local.stop();
    expect(local.lines.filter(({ type }) => type === 'output')).toEqual([]);
  });

  it('does not outlive a headwater dev that is killed', async () => {
    await local.write('all.yaml', running(DEPLOYMENT, 'sleep 99 & echo "pids $! $$ end"; wait'));
    const ports = ['--port', '0', '--broker-port', '0', '--dump-port', '0'];
    const dev = HeadwaterProcess.start(['dev', '-f', local.manifests, '--run', ...ports], { cwd: local.folder });
    const [, ...pids] = await dev.waitFor(/Deployment default\/app \| pids (\d+) (\d+) end/);
    for (const pid of pids) expect(await isLiving(Number(pid))).toBe(true);
    await dev.signal('SIGKILL');
    for (const pid of pids) await dies(Number(pid));
  });
});

describe('events', () => {
  const APP = `
    import { createServer } from 'node:http';
    const reply = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/app', 'ce-type': 'app.done' };
    const answer = (request, response) => request.resume().on('end', () => {
      console.log(request.headers['ce-type']);
      response.writeHead(200, reply).end();
    });
    setTimeout(() => createServer(answer).listen(Number(process.env.PORT)), 300);`;
  const trigger = (ref: object) => ({
    ...TRIGGER,
    metadata: { name: 't' },
    spec: { broker: 'default', filters: [{ not: { exact: { type: 'app.done' } } }], subscriber: { ref } },
  });
  const dump = {
    ...TRIGGER,
    metadata: { name: 'dump' },
    spec: { broker: 'default', subscriber: { ref: { ...SERVICE, name: 'event-dumper' } } },
  };
  const ways: { name: string; objects: object[]; ref: object; from: string }[] = [
    {
      name: 'the command of a Service',
      objects: [running(SERVICE, 'node app.mjs')],
      ref: { ...SERVICE, name: 'app' },
      from: 'Service default/app',
    },
    {
      name: 'the command of a Knative Service',
      objects: [running(KNATIVE_SERVICE, 'node app.mjs')],
      ref: { ...KNATIVE_SERVICE, name: 'app' },
      from: 'Service default/app',
    },
    {
      name: 'that of the Deployment a Service selects',
      objects: [
        { ...SERVICE, metadata: { name: 'front' }, spec: { selector: { app: 'app' } } },
        running(DEPLOYMENT, 'node app.mjs', pods()),
      ],
      ref: { ...SERVICE, name: 'front' },
      from: 'Deployment default/app',
    },
  ];
  for (const { name, objects, ref, from } of ways)
    it(`wait for ${name} to listen, and its replies go on`, async () => {
      await writeFile(join(local.manifests, 'app.mjs'), APP);
      const source = local.source({ sink: toBroker });
      await local.write('all.yaml', broker, trigger(ref), dump, ...objects, local.secret(), source);
      await start();
      await local.becomes('Ready=True');
      expect((await deliver(local.hooks()[0]?.split(' ')[1] ?? '')).status).toBe(202);
      await local.holds(() => expect(output(from)).toEqual(['dev.knative.source.github.push']));
      const types = () => local.lines.flatMap((line) => (line.type === 'event' ? [line.event.attributes['type']] : []));
      await local.holds(() => expect(types()).toEqual(['dev.knative.source.github.push', 'app.done']));
      await local.becomes('Ready=True', 'Trigger default/t');
      expect(said('Trigger default/t')).toEqual(['True']);
      expect(said(from)).toEqual(['Unknown', 'True']);
    });

  it('come where the annotation says, and the command listens there', async () => {
    const annotations = {
      'local.headwater.dev/url': 'http://127.0.0.1:9/x',
      'local.headwater.dev/command': 'echo $PORT; sleep 99',
    };
    await local.write('all.yaml', broker, { ...SERVICE, metadata: { name: 'app', annotations } });
    await start();
    await local.holds(() => expect(output('Service default/app')).toEqual(['9']));
  });
});
