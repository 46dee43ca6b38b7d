import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Env } from '../core/env.ts';
import { ConfigurationError, messageOf } from '../core/errors.ts';

/** What a command sees of the world. */
export interface Terminal {
  readonly env: Env;
  readonly isTerminal: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface Option {
  readonly type: 'string' | 'boolean';
  /** The name of the value in the help, such as `PORT`. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** Names of the positional arguments, for the help; '' where there are none. */
  readonly argumentNames: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Printed below the options. */
  readonly more?: string;
  /** Resolves to the exit code. */
  run(args: { readonly values: Values; readonly positionals: readonly string[] }, terminal: Terminal): Promise<number>;
}

/** The exit code for a command line that is off, as shells have it. */
export const USAGE_ERROR = 2;

export async function runCommand(command: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(command, args);
  } catch (error) {
    terminal.err(`headwater ${command.name}: ${messageOf(error)}\nSee headwater ${command.name} --help\n`);
    return USAGE_ERROR;
  }
  if (parsed.values['help'] === true) {
    terminal.out(helpOf(command));
    return 0;
  }
  try {
    return await command.run(parsed, terminal);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    terminal.err(`headwater ${command.name}: ${error.problems.join('\n')}\n`);
    return USAGE_ERROR;
  }
}

function parse(command: Command, args: readonly string[]) {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type }] of Object.entries(command.options)) options[name] = { type };
  const { values, positionals } = parseArgs({
    args: [...args],
    options,
    allowPositionals: command.argumentNames !== '',
  });
  return { values: values as Values, positionals };
}

function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([name, { value, help }]) => [
    value ? `--${name} ${value}` : `--${name}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length), 0);
  const options = rows.map(([left = '', help]) => `  ${left.padEnd(width)}  ${help}\n`).join('');
  const usage = ['headwater', command.name, command.argumentNames, rows.length > 0 ? '[options]' : ''].filter(Boolean);
  return `${command.summary}\n\nUsage: ${usage.join(' ')}\n${options && `\nOptions:\n${options}`}${command.more ?? ''}`;
}

/** The number of a port option. */
export function portOption(value: string | boolean | undefined, fallback: number, name: string): number {
  if (value === undefined) return fallback;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigurationError('options', [`--${name} must be a port number, not "${String(value)}"`]);
}
