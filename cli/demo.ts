import { type Command, portOption } from './command.ts';

export const demoCommand: Command = {
  name: 'demo',
  argumentNames: '',
  summary: 'start an adapter and a dumper, and send recorded deliveries through them',
  options: {
    once: { type: 'boolean', help: 'end by itself: with 0 when every event was received as it was sent' },
    port: { type: 'string', value: 'PORT', help: 'of the adapter (8080, or a free one)' },
    'internal-port': { type: 'string', value: 'PORT', help: 'of its probes and metrics (8090, or a free one)' },
    'dump-port': { type: 'string', value: 'PORT', help: 'of the dumper (8082, or a free one)' },
    'no-dumper': { type: 'boolean', help: 'leave the dumper out, to see what happens when a sink is down' },
    full: { type: 'boolean', help: 'print all of the data' },
  },
  async run({ values }, { out, err, env, isTerminal }) {
    const { startDemo } = await import('../local/demo.ts');
    const { FIRST_LINES } = await import('../dump/run.ts');
    const { pretty } = await import('../dump/format.ts');
    const { preferredPort } = await import('../core/listen.ts');
    const { nextSignal } = await import('../core/process.ts');
    const port = async (option: string, preferred: number) =>
      values[option] === undefined
        ? preferredPort('127.0.0.1', preferred)
        : portOption(values[option], preferred, option);
    const printing = {
      dataLines: values['full'] === true ? undefined : FIRST_LINES,
      colour: isTerminal && !env['NO_COLOR'],
    };
    const demo = await startDemo({
      withDumper: values['no-dumper'] !== true,
      ports: {
        adapter: await port('port', 8080),
        internal: await port('internal-port', 8090),
        dumper: await port('dump-port', 8082),
      },
      onEvent: (event) => out(`\n${pretty(event, printing)}`),
      say: (text) => out(`${text}\n`),
    });
    try {
      const stopped = nextSignal();
      const { sent, problems } = await demo.sendAll();
      for (const problem of problems) err(`missing: ${problem}\n`);
      out(`\n${sent - problems.length} of ${sent} events were received byte for byte (SHA-256).\n`);
      if (values['once'] === true) return problems.length === 0 ? 0 : 1;
      out(
        `\nSend more from another terminal:\n  npm run -s headwater -- send issues --url ${demo.webhookUrl} --secret-file ${demo.secretFile}\nCtrl-C ends.\n`,
      );
      await stopped;
      return 0;
    } finally {
      await demo.stop();
    }
  },
};
