/** What was measured, and the figure. */
export type Row = readonly [string, string];

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

export function each(count: number, among: number): string {
  return (count / among).toFixed(2);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} % of a core`;
}

export function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed();
}

/** `GET 2.00, PATCH 1.00`, the most first; of `among` things each, or all together. */
export function said(counts: ReadonlyMap<string, number>, among?: number): string {
  const sorted = [...counts].toSorted(([, one], [, other]) => other - one);
  return (
    sorted.map(([key, count]) => `${key} ${among === undefined ? count : each(count, among)}`).join(', ') || 'none'
  );
}
