import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { closestTo } from '../core/closest.ts';
import type { Env } from '../core/env.ts';
import { ConfigurationError, messageOf } from '../core/errors.ts';

/** What a command sees of the world. */
export interface Terminal {
  /** How this program was called, to say how to call it again. */
  readonly program: string;
  readonly env: Env;
  readonly isTerminal: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Option {
  readonly type: 'string' | 'boolean';
  /** One letter, for `-f` beside `--file`. */
  readonly short?: string;
  /** May be given more than once; its value is a list. */
  readonly multiple?: boolean;
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
  /** The exit code when it fails, not being called wrongly (1). */
  readonly failureCode?: number;
  /** Printed below the options. */
  readonly more?: string;
  /** Resolves to the exit code. */
  run(args: { readonly values: Values; readonly positionals: readonly string[] }, terminal: Terminal): Promise<number>;
}

/** Commands with a name in common, such as `headwater wire plan`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** Their names begin with that of the group. */
  readonly commands: readonly Command[];
}

/** The exit code for a command line that is off, as shells have it. */
export const USAGE_ERROR = 2;

/** The command line is off; `problems` holds one sentence each. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('; '), options);
    this.problems = problems;
  }
}

/** Resolves to the exit code; what the user can mend is said in a sentence. */
export async function runCommand(command: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  const report = (problems: readonly string[]) =>
    terminal.err(problems.map((problem) => `headwater ${command.name}: ${problem}\n`).join(''));
  try {
    const parsed = parse(command, args);
    if (parsed.values['help'] !== true) return await command.run(parsed, terminal);
    terminal.out(helpOf(command));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      report([...error.problems, `see headwater ${command.name} --help`]);
      return USAGE_ERROR;
    }
    if (error instanceof ConfigurationError) report(error.problems);
    else if (isSystemError(error)) report([error.message]);
    else throw error;
    return command.failureCode ?? 1;
  }
}

/** What the system refused, such as an address that is not this machine's. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

/** @throws UsageError */
function parse(command: Command, args: readonly string[]) {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short, multiple = false }] of Object.entries(command.options)) {
    options[name] = { type, multiple, ...(short !== undefined && { short }) };
  }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  if (unknown?.kind === 'option') throw new UsageError([noSuchOption(unknown, Object.keys(options))]);
  try {
    const allowPositionals = command.argumentNames !== '';
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals });
    return { values: values as Values, positionals };
  } catch (error) {
    throw new UsageError([messageOf(error)], { cause: error });
  }
}

function noSuchOption({ name, rawName }: { name: string; rawName: string }, names: readonly string[]): string {
  const close = closestTo(name, names) ?? names.find((longer) => longer.startsWith(`${name}-`));
  return `there is no option ${rawName}${close === undefined ? '' : `; did you mean --${close}?`}`;
}

function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([name, { short, value, help }]) => [
    [short ? `-${short}, --${name}` : `--${name}`, value].filter(Boolean).join(' '),
    help,
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length), 0);
  const options = rows.map(([left = '', help]) => `  ${left.padEnd(width)}  ${help}\n`).join('');
  const usage = ['headwater', command.name, command.argumentNames, rows.length > 0 ? '[options]' : ''].filter(Boolean);
  return `${command.summary}\n\nUsage: ${usage.join(' ')}\n${options && `\nOptions:\n${options}`}${command.more ?? ''}`;
}

/**
 * The number of a port option.
 * @throws UsageError
 */
export function portOption(value: Values[string], fallback: number, name: string): number {
  if (value === undefined) return fallback;
  if (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65_535) return Number(value);
  throw new UsageError([`--${name} must be a port number, not "${String(value)}"`]);
}

/** The values of an option that may be given more than once. */
export function listOption(value: Values[string]): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
