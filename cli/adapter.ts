import type { Command } from './command.ts';

export const adapterCommand: Command = {
  name: 'adapter',
  argumentNames: '',
  summary: 'run the adapter over a folder of route files',
  options: {},
  more: `
Environment:
  ROUTES_DIR              the folder of route files, <uid>.json each (required)
  HOST                    address to bind to (127.0.0.1 with this command)
  PORT, INTERNAL_PORT     hooks (8080); probes, metrics and state (8090)
  ALLOW_LOOPBACK_SINKS    true: sinks on this machine may be called (false)
  LOG_LEVEL               trace, debug, info, warn, error, fatal, silent (info)
docs/adapter.md lists all.
`,
  async run(_args, { env, err }) {
    const { runAdapter } = await import('../adapter/run.ts');
    return runAdapter({ ...env, HOST: env['HOST'] || '127.0.0.1' }, (text) => err(`headwater adapter: ${text}\n`));
  },
};
