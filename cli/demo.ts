import { type Command, portOption, type Values } from './command.ts';

const USUAL_PORTS = { port: 8080, 'internal-port': 8090, 'dump-port': 8082 };

/** The port for an option that is not given; 0 (any) when another option has it. */
export function usualPort(option: keyof typeof USUAL_PORTS, values: Values): number {
  const usual = USUAL_PORTS[option];
  return Object.values(values).includes(String(usual)) ? 0 : usual;
}

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
  async run({ values }, { out, err, env, isTerminal, program }) {
    const { startDemo } = await import('../local/demo.ts');
    const { FIRST_LINES } = await import('../dump/run.ts');
    const { pretty } = await import('../dump/format.ts');
    const { nextSignal } = await import('../core/process.ts');
    const port = (option: keyof typeof USUAL_PORTS) =>
      values[option] === undefined ? { preferred: usualPort(option, values) } : portOption(values[option], 0, option);
    const printing = {
      dataLines: values['full'] === true ? undefined : FIRST_LINES,
      colour: isTerminal && !env['NO_COLOR'],
    };
    const interrupted = new AbortController();
    const stopped = nextSignal().then(() => interrupted.abort());
    const demo = await startDemo({
      withDumper: values['no-dumper'] !== true,
      ports: {
        adapter: port('port'),
        internal: port('internal-port'),
        dumper: port('dump-port'),
      },
      onEvent: (event) => out(`\n${pretty(event, printing)}`),
      say: (text) => out(`${text}\n`),
    });
    try {
      const { sent, problems } = await demo.sendAll(interrupted.signal);
      for (const problem of problems) err(`${problem}\n`);
      out(`\n${sent - problems.length} of ${sent} events were received byte for byte (SHA-256).\n`);
      if (interrupted.signal.aborted) return 1;
      if (values['once'] === true) return problems.length === 0 ? 0 : 1;
      const headwater = env['npm_package_name'] === 'headwater' ? 'npm run -s headwater --' : program;
      const send = `${headwater} send issues --url ${demo.webhookUrl} --secret-file ${demo.secretFile}`;
      const dump = values['no-dumper'] === true ? `  ${headwater} dump --port ${demo.dumpPort}\n` : '';
      out(`\nGo on from another terminal:\n${dump}  ${send}\nCtrl-C ends.\n`);
      await stopped;
      return 0;
    } finally {
      await demo.stop();
    }
  },
};
