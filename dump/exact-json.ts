// ECMAScript's "JSON.parse source text access", in Node since 22 and not yet in TypeScript's library.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** Parses JSON so that `JSON.stringify` writes every number with the digits it had: 1.0, and integers beyond 2^53. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_name: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value;
  });
}
