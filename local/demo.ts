import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import pino from 'pino';
import { type Adapter, startAdapter } from '../adapter/adapter.ts';
import { readAdapterConfig } from '../adapter/config.ts';
import { RoutesDir } from '../adapter/routes-dir.ts';
import { parseServableRoute } from '../adapter/servable-route.ts';
import { messageOf } from '../core/errors.ts';
import { listen, type PortWish } from '../core/listen.ts';
import type { Route } from '../core/route.ts';
import { type ReceivedEvent, sha256Of } from '../dump/event.ts';
import { printable } from '../dump/format.ts';
import { type Dumper, startDumper } from '../dump/server.ts';
import type { SignedDelivery, Simulator } from '../sources/contract.ts';
import { sources } from '../sources/registry.ts';
import { postDelivery } from './post-delivery.ts';

const HOST = '127.0.0.1';
const SECRET = 'It is a secret to everybody';

export interface DemoOptions {
  /** false: leave the dumper out, to see what happens when a sink is down. */
  readonly withDumper: boolean;
  readonly ports: { readonly adapter: PortWish; readonly internal: PortWish; readonly dumper: PortWish };
  readonly onEvent: (event: ReceivedEvent) => void;
  readonly say: (text: string) => void;
}

export interface Demo {
  readonly webhookUrl: string;
  readonly secretFile: string;
  /** Where the dumper listens, or would. */
  readonly dumpPort: number;
  /** Sends recorded deliveries until `stop`; `problems` has a sentence for each that did not arrive as it was sent. */
  sendAll(stop: AbortSignal): Promise<SendingResult>;
  stop(): Promise<void>;
}

export interface SendingResult {
  readonly sent: number;
  readonly problems: readonly string[];
}

/** A dumper and an adapter with one route between them, on this machine's loopback. */
export async function startDemo({ withDumper, ports, onEvent, say }: DemoOptions): Promise<Demo> {
  const definition = sources[0];
  if (!definition) throw new Error('there is no source');
  const simulator = await definition.loadSimulator();
  const received = new Map<string, string>();
  const folder = await mkdtemp(join(tmpdir(), 'headwater-demo-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // Where the process ends early, as when nobody reads its output, nothing is stopped.
  process.once('exit', removeFolder);
  process.once('SIGHUP', () => process.exit(129));
  let dumper: Dumper | undefined;
  let adapter: Adapter | undefined;
  const stop = async () => {
    await adapter?.stop(0);
    await dumper?.stop();
    removeFolder();
  };
  try {
    if (withDumper) {
      dumper = await startDumper({ host: HOST, port: ports.dumper }, (event) => {
        received.set(String(event.attributes['id']), event.data ? sha256Of(event.data) : '');
        onEvent(event);
      });
    }
    const dumpPort = dumper?.port ?? (await closedPort(ports.dumper));
    const sinkUrl = `http://${HOST}:${dumpPort}/`;
    const route = demoRoute(definition.kind, 'https://example.com/hello-world', sinkUrl);
    const { routes, secretFile } = await writeFiles(folder, route);
    adapter = await startDemoAdapter(routes, ports, say);
    const webhookUrl = `http://${HOST}:${adapter.port}${route.path}`;
    say(`adapter    ${webhookUrl}`);
    say(`dumper     ${sinkUrl}${withDumper ? '' : '  (left out)'}`);
    say(`state      http://${HOST}:${adapter.internalPort}/state (also /metrics)`);
    say(`routes     ${routes}`);
    const sendAll = (stopSending: AbortSignal) =>
      sendExamples(simulator, { webhookUrl, received, say, stop: stopSending });
    return { webhookUrl, secretFile, dumpPort, sendAll, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeFiles(folder: string, route: Route): Promise<{ routes: string; secretFile: string }> {
  const routes = join(folder, 'routes');
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, `${SECRET}\n`);
  await mkdir(routes);
  await writeFile(join(routes, `${route.uid}.json`), JSON.stringify(route, null, 2));
  return { routes, secretFile };
}

function startDemoAdapter(routes: string, ports: DemoOptions['ports'], say: DemoOptions['say']): Promise<Adapter> {
  const config = readAdapterConfig({ HOST, ALLOW_LOOPBACK_SINKS: 'true' });
  // What goes wrong is said; the rest is to be seen in what the dumper gets.
  const log = pino(
    { level: 'warn', base: null, timestamp: false },
    { write: (line) => say(`  adapter: ${sentenceOf(line)}`) },
  );
  return startAdapter(
    { ...config, port: ports.adapter, internalPort: ports.internal },
    log,
    (table) => new RoutesDir({ folder: routes, parse: parseServableRoute, routes: table, log }),
  );
}

function sentenceOf(line: string): string {
  const { msg, level: _level, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const told = ['file', 'error', 'unknownFields', 'outcome', 'detail', 'attempts'].filter((name) => name in facts);
  return [msg, ...told.map((name) => `${name} ${printable(String(facts[name]))}`)].join(', ');
}

/** The port wished for, or another one that nobody listens at. */
async function closedPort(wish: PortWish): Promise<number> {
  const probe = fastify({ logger: false });
  const port = await listen(probe, { host: HOST, port: wish, setting: '--dump-port' });
  await probe.close();
  return port;
}

interface Sending {
  readonly webhookUrl: string;
  /** The SHA-256 of the data received, by delivery id. */
  readonly received: ReadonlyMap<string, string>;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

async function sendExamples(simulator: Simulator, sending: Sending): Promise<SendingResult> {
  const { webhookUrl, received, say, stop } = sending;
  const problems: string[] = [];
  let sent = 0;
  for (const eventType of simulator.exampleEvents) {
    if (stop.aborted) break;
    const payload = simulator.recordedEvents.find((event) => event.eventType === eventType)?.payload ?? {};
    const delivery = simulator.deliver({ eventType, payload, form: 'indented' }, SECRET);
    say(`\n→ ${eventType}, delivery ${delivery.id}`);
    say(`← ${await answerTo(delivery, webhookUrl, stop)}`);
    sent += 1;
    const sha256 = received.get(delivery.id);
    if (sha256 === undefined) problems.push(`${eventType} (delivery ${delivery.id}) was not received`);
    else if (sha256 !== sha256Of(delivery.data)) problems.push(`${eventType} (delivery ${delivery.id}) was changed`);
  }
  return { sent, problems };
}

async function answerTo(delivery: SignedDelivery, webhookUrl: string, stop: AbortSignal): Promise<string> {
  try {
    const { status, text } = await postDelivery(webhookUrl, delivery, stop);
    return `${status} ${text}`;
  } catch (error) {
    return stop.aborted ? 'interrupted' : messageOf(error);
  }
}

function demoRoute(kind: string, eventSource: string, sinkUrl: string): Route {
  return {
    version: 1,
    generation: 1,
    uid: 'demo',
    kind,
    namespace: 'demo',
    name: 'hello-world',
    path: '/hooks/demo',
    eventSource,
    secretTokens: [{ value: SECRET }],
    sink: { url: sinkUrl },
    deadLetterSink: null,
    eventTypes: ['*'],
    ceOverrides: {},
    delivery: {},
    eventFormat: 'knative',
    provider: {},
  };
}
