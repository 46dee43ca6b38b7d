import type { OutgoingHttpHeaders } from 'node:http';
import type { ObjectKind } from '../../controller/objects.ts';
import { AddressGuard } from '../../core/address-guard.ts';
import { type Broker, type BrokerOptions, startBroker } from '../../local/broker.ts';
import type { DevLine } from '../../local/dev-line.ts';
import { BROKER, TRIGGER } from '../../local/kinds.ts';
import { MemoryCluster } from '../../local/memory-cluster.ts';
import { MemoryRoutes } from '../../local/memory-routes.ts';
import type { SeenEventType } from '../../local/seen-event-types.ts';
import { type Reply, send } from './post.ts';

/** The local broker on a free port, over a cluster with the Broker `demo/default`. */
export class TestBroker {
  /** What it said. */
  readonly lines: DevLine[] = [];
  readonly cluster = new MemoryCluster({
    routes: new MemoryRoutes(),
    knows: ({ kind }) => ['Broker', 'Channel', 'Service'].includes(kind),
    adapterStates: async () => [],
  });
  #broker: Broker | undefined;

  static async start(spec: object = {}, options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const test = new TestBroker();
    test.broker(spec);
    test.#broker = await startBroker({
      host: '127.0.0.1',
      port: 0,
      cluster: test.cluster,
      sinks: { guard: new AddressGuard({ allowLoopback: true }), urlOfService: () => undefined },
      dumperUrl: 'http://127.0.0.1:9/',
      ...options,
      report: (line) => void test.lines.push(line),
    });
    return test;
  }

  get eventTypes(): readonly SeenEventType[] {
    return this.#broker?.eventTypes() ?? [];
  }

  /** What it said about events that were lost or nearly so. */
  get problems(): string[] {
    return this.lines.flatMap((line) => (line.type === 'warning' ? [line.message] : []));
  }

  /** Of these, those that were not only about an attempt to be followed by others. */
  get losses(): string[] {
    return this.problems.filter((problem) => !problem.includes('; tried again '));
  }

  broker(spec: object, name = 'default', namespace = 'demo'): void {
    this.apply(BROKER, name, spec, namespace);
  }

  apply(kind: ObjectKind, name: string, spec: object, namespace = 'demo'): void {
    this.cluster.apply({ ...kind, metadata: { name, namespace, uid: `${kind.kind}-${namespace}-${name}` }, spec });
  }

  /** A Trigger of the Broker `default` that sends to `uri`. */
  trigger(uri: string, spec: object = {}, { name = uri, namespace = 'demo' } = {}): void {
    this.apply(TRIGGER, name, { broker: 'default', subscriber: { uri }, ...spec }, namespace);
  }

  post(headers: OutgoingHttpHeaders, body: Buffer | string = '', path = '/demo/default'): Promise<Reply> {
    const url = `http://127.0.0.1:${this.#broker?.port}${path}`;
    return send(url, { headers, body: Buffer.from(body) });
  }

  async stop(): Promise<void> {
    await this.#broker?.stop();
  }
}
