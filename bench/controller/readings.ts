import { cpuMs, memoryMb } from '../process-figures.ts';
import type { Stage } from './stage.ts';

/** What was asked of both APIs, and what two processes used, so far; of a process that does not run, nothing. */
export interface Reading {
  readonly at: number;
  /** By the controller's own count: `GET`, `PATCH` … */
  readonly requests: ReadonlyMap<string, number>;
  /** At sources. */
  readonly looks: number;
  /** By the API server's count, whoever wrote: `PATCH githubsources/status` … */
  readonly writes: ReadonlyMap<string, number>;
  /** With GitHub: `GET 304` … */
  readonly exchanges: ReadonlyMap<string, number>;
  readonly controllerCpuMs: number;
  readonly adapterCpuMs: number;
}

export type Spent = Omit<Reading, 'at'> & { readonly ms: number };

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
const OURS = new Set(['githubsources', 'secrets', 'events', 'configmaps']);

export async function readingOf(stage: Stage): Promise<Reading> {
  const { controller, adapter } = stage;
  const writes = new Map<string, number>();
  for (const { name, labels, value } of samplesIn(await metricsOfServer(stage))) {
    const { verb = '', resource = '', subresource = '' } = labels;
    if (name !== 'apiserver_request_total' || !WRITES.has(verb) || !OURS.has(resource)) continue;
    add(writes, `${verb} ${resource}${subresource && `/${subresource}`}`, value);
  }
  return {
    at: performance.now(),
    ...(await countsOf(stage)),
    writes,
    exchanges: stage.exchanges(),
    controllerCpuMs: controller?.isRunning ? await cpuMs(controller.pid ?? 0) : 0,
    adapterCpuMs: await cpuMs(adapter.pid ?? 0),
  };
}

/** By the controller's own metrics. */
export async function countsOf(stage: Stage): Promise<Pick<Reading, 'requests' | 'looks'>> {
  const requests = new Map<string, number>();
  let looks = 0;
  for (const { name, labels, value } of stage.controller?.isRunning ? await samplesOf(stage) : []) {
    if (name === 'rest_client_requests_total') add(requests, labels['method'] ?? '', value);
    if (name === 'controller_runtime_reconcile_total') looks += value;
  }
  return { requests, looks };
}

/** What is more in `after`. */
export function spent(before: Reading, after: Reading): Spent {
  return {
    ms: after.at - before.at,
    requests: growth(before.requests, after.requests),
    looks: after.looks - before.looks,
    writes: growth(before.writes, after.writes),
    exchanges: growth(before.exchanges, after.exchanges),
    controllerCpuMs: after.controllerCpuMs - before.controllerCpuMs,
    adapterCpuMs: after.adapterCpuMs - before.adapterCpuMs,
  };
}

/** Resident megabytes. */
export async function memoryOf(stage: Stage) {
  return {
    controller: await memoryMb(stage.controller.pid ?? 0),
    adapter: await memoryMb(stage.adapter.pid ?? 0),
  };
}

function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Map<string, number> {
  const grown = [...after].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return new Map(grown.filter(([, value]) => value !== 0));
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

async function metricsOfServer({ api }: Stage): Promise<string> {
  const pieces: Uint8Array[] = [];
  const signal = AbortSignal.timeout(30_000);
  // A piece is taken back when the next one is asked for.
  for await (const piece of api.chunks('/metrics', { signal, accept: 'text/plain' })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}

/** It may not listen yet. */
async function samplesOf({ controllerPort }: Stage): Promise<Sample[]> {
  const url = `http://127.0.0.1:${controllerPort}/metrics`;
  const reply = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  return reply ? samplesIn(await reply.text()) : [];
}

/** Of Prometheus' text format; label values of ours hold no quotes. */
function samplesIn(text: string): Sample[] {
  const lines = text.matchAll(/^(\w+)\{([^}]*)\} (\S+)$/gm);
  return Array.from(lines, ([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(Array.from(labels.matchAll(/(\w+)="([^"]*)"/g), ([, key, word]) => [key, word])),
    value: Number(value),
  }));
}

function add(counts: Map<string, number>, key: string, value: number): void {
  counts.set(key, (counts.get(key) ?? 0) + value);
}
