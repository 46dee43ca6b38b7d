import { type Command, portOption, UsageError } from './command.ts';

export const dumpCommand: Command = {
  name: 'dump',
  argumentNames: '',
  summary: 'receive CloudEvents and print them',
  options: {
    port: { type: 'string', value: 'PORT', help: 'listen here (8082)' },
    host: { type: 'string', value: 'ADDRESS', help: 'address to bind to (127.0.0.1)' },
    full: { type: 'boolean', help: 'print all of the data on a terminal, not its first lines' },
    output: {
      type: 'string',
      value: 'FORM',
      help: 'pretty or json (pretty on a terminal, else one JSON object a line)',
    },
  },
  async run({ values }, terminal) {
    const output = values['output'] ?? (terminal.isTerminal ? 'pretty' : 'json');
    if (output !== 'pretty' && output !== 'json') throw new UsageError(['--output must be pretty or json']);
    const port = portOption(values['port'], 8082, 'port');
    const { runDump } = await import('../dump/run.ts');
    return runDump({
      port,
      host: String(values['host'] || '127.0.0.1'),
      output,
      full: values['full'] === true,
      colour: terminal.isTerminal && !terminal.env['NO_COLOR'],
      out: terminal.out,
      err: terminal.err,
    });
  },
};
