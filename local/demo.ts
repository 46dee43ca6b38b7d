import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type Adapter, startAdapter } from '../adapter/adapter.ts';
import { readAdapterConfig } from '../adapter/config.ts';
import { messageOf } from '../core/errors.ts';
import type { Route } from '../core/route.ts';
import { type ReceivedEvent, sha256Of } from '../dump/event.ts';
import { type Dumper, startDumper } from '../dump/server.ts';
import type { SignedDelivery } from '../sources/contract.ts';
import { sources } from '../sources/registry.ts';

const HOST = '127.0.0.1';
const SECRET = 'It is a secret to everybody';
const TIMEOUT_MS = 30_000;

export interface DemoOptions {
  /** false: leave the dumper out, to see what happens when a sink is down. */
  readonly withDumper: boolean;
  readonly ports: { readonly adapter: number; readonly internal: number; readonly dumper: number };
  readonly onEvent: (event: ReceivedEvent) => void;
  readonly say: (text: string) => void;
}

export interface Demo {
  readonly webhookUrl: string;
  readonly secretFile: string;
  /** Sends the recorded deliveries; `problems` has a sentence for each that did not arrive as it was sent. */
  sendAll(): Promise<{ sent: number; problems: string[] }>;
  stop(): Promise<void>;
}

/** A dumper and an adapter with one route between them, on this machine's loopback. */
export async function startDemo({ withDumper, ports, onEvent, say }: DemoOptions): Promise<Demo> {
  const definition = sources[0];
  if (!definition) throw new Error('there is no source');
  const simulator = await definition.loadSimulator();
  const received = new Map<string, string>();
  const folder = await mkdtemp(join(tmpdir(), 'headwater-demo-'));
  let dumper: Dumper | undefined;
  let adapter: Adapter | undefined;
  const stop = async () => {
    await adapter?.stop(0);
    await dumper?.stop(0);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (withDumper) {
      dumper = await startDumper({ host: HOST, port: ports.dumper }, (event) => {
        received.set(String(event.attributes['id']), event.data ? sha256Of(event.data) : '');
        onEvent(event);
      });
    }
    const sinkUrl = `http://${HOST}:${dumper?.port ?? ports.dumper}/`;
    const route = demoRoute(definition.kind, simulator.example.eventSource, sinkUrl);
    const routes = join(folder, 'routes');
    await writeFile(join(folder, 'secret'), `${SECRET}\n`);
    await mkdir(routes);
    await writeFile(join(routes, `${route.uid}.json`), JSON.stringify(route, null, 2));
    const config = readAdapterConfig({
      HOST,
      PORT: String(ports.adapter),
      INTERNAL_PORT: String(ports.internal),
      ROUTES_DIR: routes,
      ALLOW_LOOPBACK_SINKS: 'true',
    });
    adapter = await startAdapter(config, pino({ level: 'silent' }));
    const webhookUrl = `http://${HOST}:${adapter.port}${route.path}`;
    say(`adapter    ${webhookUrl}`);
    say(`dumper     ${sinkUrl}${withDumper ? '' : '  (left out)'}`);
    say(`routes     ${routes}`);
    const sendAll = async () => {
      const problems: string[] = [];
      for (const eventType of simulator.example.eventTypes) {
        const payload = simulator.recordedEvents.find((event) => event.eventType === eventType)?.payload ?? {};
        const delivery = simulator.deliver({ eventType, payload, form: 'indented' }, SECRET);
        say(`\n→ ${eventType}, delivery ${delivery.id}`);
        say(`← ${await post(webhookUrl, delivery)}`);
        const sha256 = received.get(delivery.id);
        if (sha256 === undefined) problems.push(`${eventType} (delivery ${delivery.id}) was not received`);
        else if (sha256 !== sha256Of(delivery.data))
          problems.push(`${eventType} (delivery ${delivery.id}) was changed`);
      }
      return { sent: simulator.example.eventTypes.length, problems };
    };
    return { webhookUrl, secretFile: join(folder, 'secret'), sendAll, stop };
  } catch (error) {
    await stop();
    throw error;
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

async function post(url: string, { headers, body }: SignedDelivery): Promise<string> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), signal });
    return `${reply.status} ${(await reply.text()).trim()}`;
  } catch (error) {
    return messageOf(error);
  }
}
