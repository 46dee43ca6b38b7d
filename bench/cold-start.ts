import { type ContenderName, startContender } from './contenders.ts';
import type { Deliveries } from './deliveries.ts';
import { cpuMs } from './process-figures.ts';
import type { RunScope } from './run-scope.ts';

export interface ColdStart {
  readonly name: ContenderName;
  /** From exec to the first 202, whose event is at the sink. */
  readonly ms: number;
  readonly cpuMs: number;
}

/** Starts and ends each contender `runs` times, in turn. */
export async function measureColdStarts(
  names: readonly ContenderName[],
  runs: number,
  deps: { scope: RunScope; deliveries: Deliveries; sinkPort: number },
): Promise<ColdStart[]> {
  const starts: ColdStart[] = [];
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) {
      const { contender, startMs } = await startContender(name, deps);
      starts.push({ name, ms: startMs, cpuMs: await cpuMs(contender.pid) });
      await deps.scope.stop(contender.process);
    }
  }
  return starts;
}
