import type { Contender, ContenderName } from './contenders.ts';
import { type Load, type LoadFigures, sendLoad } from './load.ts';
import { cpuMs, memoryMb, processorMs, resetPeakMemory } from './process-figures.ts';
import { MEASURED_CPU, type RunScope } from './run-scope.ts';
import type { CountingSink } from './sink.ts';

/** One contender under load in one round. */
export interface Measurement {
  readonly name: ContenderName;
  readonly concurrency: number;
  readonly round: number;
  /** User and system time for 1000 events. */
  readonly cpuMsPerThousand: number;
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The share of its processor it used while under load; far below 1, something else was the bottleneck. */
  readonly busy: number;
  /** The share of this processor that anything else had meanwhile; far above 0, the round was disturbed. */
  readonly others: number;
  readonly peakMemoryMb: number;
  /** Why the figures do not count; one sentence each. */
  readonly problems: readonly string[];
}

export async function measure(
  contender: Contender,
  load: Load,
  round: number,
  { scope, sink }: { scope: RunScope; sink: CountingSink },
): Promise<Measurement> {
  const { name, pid, port } = contender;
  await resetPeakMemory(pid);
  await sink.countNew();
  const before = { own: await cpuMs(pid), all: await processorMs(MEASURED_CPU), at: performance.now() };
  const seen = await sendLoad(scope, port, load);
  const used = (await cpuMs(pid)) - before.own;
  const wallMs = performance.now() - before.at;
  const usedByAll = (await processorMs(MEASURED_CPU)) - before.all;
  const accepted = seen.completed - seen.refused;
  return {
    name,
    concurrency: load.concurrency,
    round,
    cpuMsPerThousand: (used / accepted) * 1000,
    eventsPerSecond: (accepted / seen.elapsedMs) * 1000,
    p50Ms: seen.p50Us / 1000,
    p99Ms: seen.p99Us / 1000,
    busy: used / seen.elapsedMs,
    others: Math.max(0, usedByAll - used) / wallMs,
    peakMemoryMb: (await memoryMb(pid)).peak,
    problems: problemsOf(name, seen, await sink.countNew()),
  };
}

/** Every reply of 2xx must stand for one event at the sink; what is under test must also have refused and lost nothing. */
function problemsOf(name: ContenderName, seen: LoadFigures, atSink: number): string[] {
  const { sent, completed, refused, socketErrors, timeouts } = seen;
  const problems: string[] = [];
  const accepted = completed - refused;
  if (accepted === 0) problems.push('nothing was accepted');
  if (accepted !== atSink) problems.push(`${accepted} accepted, but ${atSink} at the sink`);
  if (name !== 'headwater') return problems;
  if (sent !== completed) problems.push(`${sent - completed} of ${sent} requests were not answered`);
  if (refused > 0) problems.push(`${refused} replies were not 2xx`);
  if (socketErrors > 0) problems.push(`${socketErrors} connections failed`);
  if (timeouts > 0) problems.push(`${timeouts} answers took too long`);
  return problems;
}
