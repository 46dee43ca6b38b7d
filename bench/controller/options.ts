import { parseArgs } from 'node:util';
import { ConfigurationError, messageOf } from '../../core/errors.ts';

export interface ControllerBenchOptions {
  /** Without a quota; 0: that part is left out. */
  readonly sources: number;
  /** With the quota in force, on an hour of a minute; 0: that part is left out. */
  readonly limited: number;
  /** How long it is looked at, at rest. */
  readonly restSeconds: number;
  readonly edits: number;
}

const DEFAULTS = { sources: '10000', limited: '1000', rest: '60', edits: '100' };

/** @throws ConfigurationError naming every problem of the command line. */
export function readControllerBenchOptions(args: readonly string[]): ControllerBenchOptions {
  const given = { ...DEFAULTS, ...parse(args) };
  const problems: string[] = [];
  const wholeNumber = (name: keyof typeof DEFAULTS, max: number): number => {
    const value = Number(given[name]);
    if (!Number.isInteger(value) || value < 0 || value > max)
      problems.push(`--${name} takes a whole number up to ${max}, not "${given[name]}"`);
    return value;
  };
  const options = {
    sources: wholeNumber('sources', 50_000),
    limited: wholeNumber('limited', 5000),
    restSeconds: wholeNumber('rest', 3600),
    edits: wholeNumber('edits', 10_000),
  };
  if (problems.length > 0) throw new ConfigurationError('options', problems);
  return options;
}

function parse(args: readonly string[]): Partial<typeof DEFAULTS> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args: [...args], options: { sources: text, limited: text, rest: text, edits: text } }).values;
  } catch (error) {
    throw new ConfigurationError('options', [messageOf(error)], { cause: error });
  }
}
