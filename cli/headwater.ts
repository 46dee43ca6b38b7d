import { adapterCommand } from './adapter.ts';
import { type Command, runCommand, type Terminal, USAGE_ERROR } from './command.ts';
import { devCommand } from './dev.ts';
import { dumpCommand } from './dump.ts';
import { sendCommand } from './send.ts';
import { VERSION } from './version.ts';

const commands: readonly Command[] = [devCommand, dumpCommand, sendCommand, adapterCommand];

/** Resolves to the exit code. */
export async function runHeadwater(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    terminal.out(`${VERSION}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(helpText());
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    terminal.err(`${name === undefined ? '' : `headwater: there is no command "${name}"\n\n`}${helpText()}`);
    return USAGE_ERROR;
  }
  return runCommand(command, rest, terminal);
}

function helpText(): string {
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}\n`).join('');
  return `Headwater: webhooks become CloudEvents, byte for byte.

Usage: headwater COMMAND [options]

Commands:
${rows}
headwater COMMAND --help says more of one; headwater --version prints the version.
`;
}
