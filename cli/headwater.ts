import { adapterCommand } from './adapter.ts';
import { type Command, type CommandGroup, runCommand, type Terminal, USAGE_ERROR } from './command.ts';
import { devCommand } from './dev.ts';
import { dumpCommand } from './dump.ts';
import { graphCommand } from './graph.ts';
import { sendCommand } from './send.ts';
import { VERSION } from './version.ts';
import { wireCommands } from './wire.ts';

const commands: readonly (Command | CommandGroup)[] = [
  devCommand,
  dumpCommand,
  sendCommand,
  wireCommands,
  graphCommand,
  adapterCommand,
];

/** Resolves to the exit code. */
export async function runHeadwater(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    terminal.out(`${VERSION}\n`);
    return 0;
  }
  if (isHelp(name)) {
    terminal.out(helpText());
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) return refuse(name, helpText(), terminal);
  return 'commands' in command ? runGroup(command, rest, terminal) : runCommand(command, rest, terminal);
}

async function runGroup(group: CommandGroup, [name, ...rest]: readonly string[], terminal: Terminal): Promise<number> {
  if (isHelp(name)) {
    terminal.out(groupHelp(group));
    return 0;
  }
  const command = group.commands.find((candidate) => candidate.name === `${group.name} ${name}`);
  if (!command) return refuse(name === undefined ? undefined : `${group.name} ${name}`, groupHelp(group), terminal);
  return runCommand(command, rest, terminal);
}

function isHelp(argument: string | undefined): boolean {
  return argument === '--help' || argument === '-h' || argument === 'help';
}

function refuse(name: string | undefined, help: string, terminal: Terminal): number {
  terminal.err(`${name === undefined ? '' : `headwater: there is no command "${name}"\n\n`}${help}`);
  return USAGE_ERROR;
}

function rowsOf(listed: readonly { readonly name: string; readonly summary: string }[], width: number): string {
  return listed.map(({ name, summary }) => `  ${name.padEnd(width)} ${summary}\n`).join('');
}

function helpText(): string {
  return `Headwater: webhooks become CloudEvents, byte for byte.

Usage: headwater COMMAND [options]

Commands:
${rowsOf(commands, 9)}
headwater COMMAND --help says more of one; headwater --version prints the version.
`;
}

function groupHelp({ name, summary, commands: members }: CommandGroup): string {
  return `${summary}

Usage: headwater ${name} COMMAND [options]

Commands:
${rowsOf(members, 14)}
headwater ${name} COMMAND --help says more of one.
`;
}
