import type { ColdStart } from './cold-start.ts';
import { type ContenderName, contenderNames } from './contenders.ts';
import type { Measurement } from './measure.ts';

type Row = readonly string[];

/** Medians over the rounds. A ratio is the median of the ratios within each round, which share the machine's state. */
export function loadTable(measurements: readonly Measurement[]): string {
  const head = [
    'conc.',
    'contender',
    'CPU-ms/1000',
    'least',
    'x nginx',
    'events/s',
    'p50 ms',
    'p99 ms',
    'busy',
    'others',
    'peak MB',
  ];
  const rows = [...new Set(measurements.map(({ concurrency }) => concurrency))].flatMap((concurrency) =>
    contenderNames.flatMap((name) => {
      const same = measurements.filter((one) => one.name === name && one.concurrency === concurrency);
      return same.length === 0 ? [] : [loadRow(same, measurements)];
    }),
  );
  return table(head, rows);
}

/** What one measurement says, for a line while the bench runs. */
export function loadLine(one: Measurement): string {
  const { name, concurrency, round, cpuMsPerThousand, eventsPerSecond, p99Ms } = one;
  const figures = `${cpuMsPerThousand.toFixed(1)} CPU-ms/1000, ${eventsPerSecond.toFixed(0)} events/s, p99 ${p99Ms.toFixed(1)} ms`;
  return `concurrency ${concurrency}, round ${round}: ${name.padEnd(9)} ${figures}`;
}

export function startTable(starts: readonly ColdStart[], idleMb: ReadonlyMap<ContenderName, number>): string {
  const rows = contenderNames.flatMap((name): Row[] => {
    const idle = idleMb.get(name);
    if (idle === undefined) return [];
    const same = starts.filter((start) => start.name === name);
    const ms = same.map((start) => start.ms);
    const figures =
      ms.length === 0 ? ['-', '-', '-'] : [median(ms), Math.min(...ms), median(same.map((start) => start.cpuMs))];
    return [
      [name, ...figures.map((figure) => (typeof figure === 'number' ? figure.toFixed(0) : figure)), idle.toFixed(0)],
    ];
  });
  return table(['contender', 'first 202 ms', 'least ms', 'CPU ms', 'idle MB'], rows);
}

function loadRow(same: readonly Measurement[], all: readonly Measurement[]): Row {
  const medianOf = (read: (one: Measurement) => number) => median(same.map(read));
  return [
    String(same[0]?.concurrency),
    String(same[0]?.name),
    medianOf((one) => one.cpuMsPerThousand).toFixed(1),
    Math.min(...same.map((one) => one.cpuMsPerThousand)).toFixed(1),
    ratioToNginx(same, all),
    medianOf((one) => one.eventsPerSecond).toFixed(0),
    medianOf((one) => one.p50Ms).toFixed(2),
    medianOf((one) => one.p99Ms).toFixed(1),
    percent(medianOf((one) => one.busy)),
    percent(medianOf((one) => one.others)),
    Math.max(...same.map((one) => one.peakMemoryMb)).toFixed(0),
  ];
}

function ratioToNginx(same: readonly Measurement[], all: readonly Measurement[]): string {
  const ratios = same.flatMap(({ round, concurrency, cpuMsPerThousand }) => {
    const beside = all.find((one) => one.name === 'nginx' && one.round === round && one.concurrency === concurrency);
    return beside ? [cpuMsPerThousand / beside.cpuMsPerThousand] : [];
  });
  return ratios.length === 0 ? '-' : median(ratios).toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: Row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ');
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}
