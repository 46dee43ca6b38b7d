import { parseArgs } from 'node:util';
import { ConfigurationError, messageOf } from '../core/errors.ts';
import { type ContenderName, contenderNames } from './contenders.ts';

export interface BenchOptions {
  readonly rounds: number;
  /** How long each contender is under load in one round. */
  readonly seconds: number;
  /** Connections, each with one request at a time. */
  readonly concurrency: readonly number[];
  readonly only: readonly ContenderName[];
}

const DEFAULTS = { rounds: '3', seconds: '4', concurrency: '1,16,64,512', only: contenderNames.join() };

/** @throws ConfigurationError naming every problem of the command line. */
export function readOptions(args: readonly string[]): BenchOptions {
  const given = { ...DEFAULTS, ...parse(args) };
  const problems: string[] = [];
  const wholeNumber = (name: string, text: string, max: number): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > max) {
      problems.push(`--${name} takes whole numbers from 1 to ${max}, not "${text}"`);
    }
    return value;
  };
  for (const name of given.only.split(',')) {
    if (!contenderNames.some((known) => known === name)) {
      problems.push(`--only takes ${contenderNames.join(', ')}, not "${name}"`);
    }
  }
  const options = {
    rounds: wholeNumber('rounds', given.rounds, 100),
    seconds: wholeNumber('seconds', given.seconds, 60),
    concurrency: given.concurrency.split(',').map((text) => wholeNumber('concurrency', text, 1024)),
    only: contenderNames.filter((name) => given.only.split(',').includes(name)),
  };
  if (problems.length > 0) throw new ConfigurationError('options', problems);
  return options;
}

function parse(args: readonly string[]): Partial<typeof DEFAULTS> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args: [...args], options: { rounds: text, seconds: text, concurrency: text, only: text } })
      .values;
  } catch (error) {
    throw new ConfigurationError('options', [messageOf(error)], { cause: error });
  }
}
