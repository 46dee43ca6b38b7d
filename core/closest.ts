/**
 * The one of `names` that `text` was most likely meant to be, for "did you mean"; undefined where none is near. `limit`:
 * the most letters that may be wrong.
 */
export function closestTo(
  text: string,
  names: readonly string[],
  limit = Math.max(1, Math.floor(text.length / 3)),
): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - text.length) > limit) continue;
    const distance = distanceBetween(text.toLowerCase(), name.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** `; did you mean …?`, where one of `names` is near; else nothing. */
export function didYouMean(text: string, names: readonly string[]): string {
  const close = closestTo(text, names);
  return close === undefined ? '' : `; did you mean ${close}?`;
}

/** Levenshtein distance: the fewest letters to insert, remove or replace. */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
