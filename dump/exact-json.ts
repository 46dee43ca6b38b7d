// ECMAScript's "JSON.parse source text access", in Node since 22 and not yet in TypeScript's library.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** Parses JSON so that `JSON.stringify` writes every number with the digits it had: 1.0, and integers beyond 2^53. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_name: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value;
  });
}

/** What decides the layout: an escape, a quote, an empty array or object, punctuation, white space. */
const MARK = /\\.|"|\[\s*\]|\{\s*\}|[{}[\],:]|\s+/g;
/** Deeper levels are not moved further: the indentation alone could grow with the square of the text. */
const DEEPEST = 32;

/** Valid JSON laid out as by `JSON.stringify(value, null, 2)`, with every token as it stands and duplicate keys kept. */
export function indented(json: string): string {
  let depth = 0;
  let inString = false;
  const newLine = (step: number) => {
    depth += step;
    return `\n${'  '.repeat(Math.min(depth, DEEPEST))}`;
  };
  return json.replace(MARK, (mark) => {
    if (mark === '"') inString = !inString;
    if (mark === '"' || inString) return mark;
    if (mark === '{' || mark === '[') return mark + newLine(1);
    if (mark === '}' || mark === ']') return newLine(-1) + mark;
    if (mark === ',') return mark + newLine(0);
    return mark === ':' ? ': ' : mark.replace(/\s+/, '');
  });
}
