import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type Adapter, startAdapter } from '../../adapter/adapter.ts';
import { type AdapterConfig, readAdapterConfig } from '../../adapter/config.ts';
import { RoutesDir } from '../../adapter/routes-dir.ts';
import { parseServableRoute } from '../../adapter/servable-route.ts';
import type { Env } from '../../core/env.ts';
import type { Route } from '../../core/route.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** The adapter on free loopback ports over a folder of route files of its own, and what it logged. */
export class TestAdapter {
  readonly folder: string;
  readonly lines: LogLine[];
  readonly #adapter: Adapter;

  private constructor(folder: string, lines: LogLine[], adapter: Adapter) {
    this.folder = folder;
    this.lines = lines;
    this.#adapter = adapter;
  }

  static async start(
    routes: readonly Route[],
    env: Env = {},
    options: { poolSweepMs?: number } = {},
  ): Promise<TestAdapter> {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-routes-'));
    for (const route of routes) await writeFile(join(folder, `${route.uid}.json`), JSON.stringify(route));
    const lines: LogLine[] = [];
    const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
    return new TestAdapter(
      folder,
      lines,
      await startAdapter(
        testConfig(env),
        log,
        (table) => new RoutesDir({ folder, parse: parseServableRoute, routes: table, log }),
        options,
      ),
    );
  }

  get port(): number {
    return this.#adapter.port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#adapter.port}${path}`;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.#adapter.internalPort}`;
  }

  internal(path: string): Promise<Response> {
    return fetch(this.internalUrl + path);
  }

  /** The state of one route as the controller reads it. */
  async stateOf(uid: string): Promise<RouteStateReply | undefined> {
    const reply = (await (await this.internal(`/state?uid=${uid}`)).json()) as { routes: RouteStateReply[] };
    return reply.routes[0];
  }

  /** The value of a metric that has no labels. */
  async metric(name: string): Promise<number> {
    const text = await (await this.internal('/metrics')).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  /** Replaces a route file as a careful editor does, by rename. */
  async write(route: Route, name = `${route.uid}.json`): Promise<void> {
    await writeFile(join(this.folder, `.${name}`), JSON.stringify(route));
    await rename(join(this.folder, `.${name}`), join(this.folder, name));
  }

  async stop(delayMs = 0): Promise<void> {
    await this.#adapter.stop(delayMs);
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface RouteStateReply {
  readonly uid: string;
  readonly generation: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly conflicts: number;
  readonly lastAuthentic: { time: string; secretToken: number; generation: number } | null;
}

export function testConfig(env: Env): AdapterConfig {
  const base = {
    HOST: '127.0.0.1',
    PORT: '0',
    INTERNAL_PORT: '0',
    ALLOW_LOOPBACK_SINKS: 'true',
    SHUTDOWN_DELAY_MS: '0',
  };
  return readAdapterConfig({ ...base, ...env });
}
