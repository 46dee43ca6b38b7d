import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Resources } from '../../../controller/kube/resources.ts';
import { WatchedKind } from '../../../controller/kube/watched-kind.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';
import type { Log } from '../../../core/log.ts';

const THING = { apiVersion: 'things.example.com/v1', kind: 'Thing' };
const GROUP = '/apis/things.example.com/v1';
const HOUR_MS = 3_600_000;

/** What is asked of an API server that has the kind or not, and one object of it; `down`: it does not answer. */
class Server {
  hasKind = false;
  /** Whether its objects may be listed. */
  isOpen = true;
  isDown = false;
  asked = 0;
  listed = 0;
  #endWatch: () => void = () => undefined;
  readonly call = async (_method: string, path: string) => {
    this.asked += 1;
    if (this.isDown) throw new Error('ECONNREFUSED');
    if (!this.hasKind) throw new ApiStatusError(`GET ${path}`, 404, 'not found');
    return { resources: path === GROUP ? [{ name: 'things', kind: 'Thing', namespaced: true }] : [] };
  };
  /** As when the definition is deleted. */
  loseKind(): void {
    this.hasKind = false;
    this.#endWatch();
  }
  async *chunks(path: string) {
    this.listed += 1;
    if (!this.isOpen) throw new ApiStatusError(`GET ${path}`, 403, 'forbidden');
    if (!this.hasKind) throw new ApiStatusError(`GET ${path}`, 404, 'not found');
    const items = [{ metadata: { namespace: 'demo', name: 'one', uid: '1', resourceVersion: '1' } }];
    yield new TextEncoder().encode(JSON.stringify({ metadata: { resourceVersion: '1' }, items }));
  }
  async *lines(path: string, { signal }: { signal: AbortSignal }) {
    await new Promise<void>((resolve) => {
      this.#endWatch = resolve;
      signal.addEventListener('abort', () => resolve());
    });
    // The list that follows is 404.
    if (!signal.aborted) yield JSON.stringify({ type: 'ERROR', object: { code: 410, message: path } });
  }
}

let server: Server;
let watched: WatchedKind<string>;
let told: string[];
let warnings: number;
let known: unknown[];
let resources: Resources;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  server = new Server();
  told = [];
  warnings = 0;
  known = [];
  const api = server as never;
  resources = new Resources(api);
  watched = new WatchedKind({
    api,
    resources,
    kind: THING,
    selection: {},
    keep: ({ metadata }) => metadata.uid,
    onChange: ({ name }, kept) => void told.push(kept === undefined ? `${name} gone` : name),
    onKnown: (what) => void known.push(what),
    log: { debug: () => undefined, warn: () => void (warnings += 1) } as unknown as Log,
  });
  watched.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await watched.stop();
});

/** As `KubeCluster.definitionsChanged`. */
const installed = () => {
  resources.forgetGroup('things.example.com');
  watched.lookNow();
};

describe('a kind that is not installed', () => {
  it('is asked for less and less', async () => {
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(server.asked).toBeGreaterThan(12);
    const before = server.asked;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(server.asked - before).toBeLessThanOrEqual(12);
  });

  it('is watched within a second of its definition, though the server knows it a moment later', async () => {
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    installed();
    await vi.advanceTimersByTimeAsync(500);
    server.hasKind = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(told).toEqual(['one']);
  });

  it('is found in minutes where nobody tells', async () => {
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    server.hasKind = true;
    await vi.advanceTimersByTimeAsync(300_000);
    expect(told).toEqual(['one']);
  });

  it('is asked for every 10 s while the server does not answer', async () => {
    server.isDown = true;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    Object.assign(server, { isDown: false, hasKind: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual(['one']);
  });
});

describe('a kind that may not be read', () => {
  beforeEach(() => Object.assign(server, { hasKind: true, isOpen: false }));

  it('is watched soon where the right comes a moment after the definition', async () => {
    await vi.advanceTimersByTimeAsync(500);
    server.isOpen = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual(['one']);
  });

  it('is asked for every 10 s, which is said once', async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    const before = server.listed;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.listed - before).toBeGreaterThanOrEqual(5);
    expect(server.listed - before).toBeLessThanOrEqual(6);
    expect(warnings).toBe(1);
    expect(known).toEqual(['no-kind', { forbidden: 'get, list and watch on things (things.example.com/v1)' }]);
  });
});

it('a kind that goes takes its objects with it, and comes back', async () => {
  server.hasKind = true;
  await vi.advanceTimersByTimeAsync(1000);
  server.loseKind();
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(told).toEqual(['one', 'one gone']);
  server.hasKind = true;
  installed();
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual(['one', 'one gone', 'one']);
  expect(known).toEqual(['no-kind', 'all', 'no-kind', 'all']);
});
