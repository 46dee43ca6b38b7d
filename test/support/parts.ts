import type { Env } from '../../core/env.ts';
import type { Route } from '../../core/route.ts';
import { aRoute } from './builders.ts';
import { FakeSink } from './fake-sink.ts';
import { TestAdapter } from './test-adapter.ts';

/** Retries that take no time. */
export const FAST = { backoffDelay: 'PT0.005S' };

const running: (() => Promise<void>)[] = [];

/** For `afterEach`: stops what a test started, the newest first. */
export async function stopParts(): Promise<void> {
  for (const stop of running.splice(0).toReversed()) await stop();
}

export function stopAfterwards(stop: () => Promise<void>): void {
  running.push(stop);
}

/** A sink that answers with these statuses in turn. */
export async function aSink(...statuses: number[]): Promise<FakeSink> {
  const sink = await FakeSink.start();
  if (statuses.length > 0) sink.answerWith(...statuses);
  stopAfterwards(() => sink.close());
  return sink;
}

/** An adapter with one route. */
export async function anAdapter(route: Partial<Route>, env: Env = {}): Promise<TestAdapter> {
  const adapter = await TestAdapter.start([aRoute({ delivery: FAST, ...route })], env);
  stopAfterwards(() => adapter.stop());
  return adapter;
}
