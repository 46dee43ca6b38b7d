import { type Env, EnvReader } from '../core/env.ts';
import { nextSignal } from '../core/process.ts';
import { type Proxies, readProxies } from '../core/proxies.ts';
import type { Dev, DevOptions } from '../local/dev.ts';
import type { Report } from '../local/dev-line.ts';
import { type Command, listOption, portOption, UsageError, type Values } from './command.ts';

/** In the folder the command runs in. */
export const STATE_FOLDER = '.headwater';
const USUAL_PORTS = { port: 8080, 'broker-port': 8081, 'dump-port': 8082, 'simulator-port': 8083 };

export const devCommand: Command = {
  name: 'dev',
  argumentNames: '[PATH…]',
  summary: 'apply source manifests on this machine: webhooks, broker, triggers and dumper in one process',
  options: {
    file: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'PATH',
      help: 'a manifest file, or a folder of them; may be given more than once',
    },
    port: { type: 'string', value: 'PORT', help: 'where webhooks are received (8080)' },
    'broker-port': { type: 'string', value: 'PORT', help: 'where the Brokers are (8081)' },
    'dump-port': { type: 'string', value: 'PORT', help: 'where the dumper is (8082)' },
    'public-url': {
      type: 'string',
      value: 'URL',
      help: 'under which providers reach the port for webhooks, such as that of a tunnel',
    },
    simulate: { type: 'boolean', help: "answer the providers' APIs here, and send recorded deliveries" },
    'simulator-port': { type: 'string', value: 'PORT', help: 'where the simulated API is (8083)' },
    'simulate-fault': {
      type: 'string',
      value: 'METHOD=STATUS',
      help: 'the simulated API answers so, such as POST=500',
    },
    'simulate-secret': {
      type: 'string',
      value: 'SECRET',
      help: "sign deliveries with this, not with the webhook's secret",
    },
    run: {
      type: 'boolean',
      help: 'run the commands that Services and Deployments are annotated with (local.headwater.dev/command)',
    },
    once: {
      type: 'boolean',
      help: 'end by itself: with 0 when every source is ready and its deliveries reached the dumper',
    },
    timeout: { type: 'string', value: 'SECONDS', help: 'how long --once and --cleanup wait (30)' },
    cleanup: { type: 'boolean', help: 'remove the webhooks at the end; else they stay for the next time' },
    full: { type: 'boolean', help: 'print events whole, not a line each' },
    output: { type: 'string', value: 'FORM', help: 'text or json: one JSON object a line (text)' },
  },
  more: `
Edits of the files are followed. What a restart must know is kept in ${STATE_FOLDER}/ here.
A Service is reached where its annotation local.headwater.dev/url says; one named
event-dumper is the dumper. HTTPS_PROXY, HTTP_PROXY and NO_PROXY count for the provider's API and for sinks.
With --simulate any access token will do but one that
calls itself bad, expired, invalid, refused, revoked or wrong.
`,
  async run({ values, positionals }, terminal) {
    const options = readOptions(values, positionals, terminal.env);
    const timeoutMs = secondsOption(values['timeout'], 30) * 1000;
    const { startDev } = await import('../local/dev.ts');
    const { printerOf } = await import('./dev-printer.ts');
    const report = printerOf(values, terminal);
    const interrupted = new AbortController();
    const ended = nextSignal().then(() => interrupted.abort());
    const dev = await startDev(options, report);
    try {
      const isOnce = values['once'] === true;
      const code = isOnce ? await once(dev, timeoutMs, interrupted.signal, report) : await ended.then(() => 0);
      if (!isOnce) sayEventTypes(dev, report);
      if (values['cleanup'] === true) return (await cleanUp(dev, timeoutMs, report)) ? code : 1;
      if (!options.simulate) sayWhatStays(dev.webhooks(), report);
      return code;
    } finally {
      await dev.stop();
    }
  },
};

async function once(dev: Dev, timeoutMs: number, stop: AbortSignal, report: Report): Promise<number> {
  const { missing, sources, deliveries } = await dev.complete(timeoutMs, stop);
  sayEventTypes(dev, report);
  for (const message of missing) report({ type: 'missing', message });
  if (missing.length > 0) return 1;
  const ready = `${sources} ${sources === 1 ? 'source is' : 'sources are'} ready`;
  const played = deliveries === 0 ? '' : `; ${deliveries} deliveries reached the dumper byte for byte (SHA-256)`;
  report({ type: 'note', message: ready + played });
  return 0;
}

/** What Triggers and Subscriptions could want. */
function sayEventTypes(dev: Dev, report: Report): void {
  const eventTypes = dev.eventTypes();
  if (eventTypes.length > 0) report({ type: 'event-types', eventTypes });
}

/** Resolves to whether all webhooks are removed. */
async function cleanUp(dev: Dev, timeoutMs: number, report: Report): Promise<boolean> {
  const left = await dev.cleanUp(timeoutMs);
  for (const name of left) report({ type: 'missing', message: `the webhook of ${name} could not be removed` });
  return left.length === 0;
}

function sayWhatStays(webhooks: number, report: Report): void {
  if (webhooks === 0) return;
  const message = `${webhooks === 1 ? '1 webhook stays' : `${webhooks} webhooks stay`} at the provider for the next time; --cleanup removes them`;
  report({ type: 'note', message });
}

/** @throws ConfigurationError */
function proxiesIn(env: Env): Proxies {
  const read = new EnvReader(env);
  const proxies = readProxies(read);
  read.throwIfInvalid();
  return proxies;
}

/** @throws UsageError */
function readOptions(values: Values, positionals: readonly string[], env: Env): DevOptions {
  const paths = [...listOption(values['file']), ...positionals];
  if (paths.length === 0) throw new UsageError(['name manifests: -f PATH']);
  const simulated = values['simulate'] === true;
  // A real webhook has its port in its URL, so that one is not given away for another.
  const port = (option: keyof typeof USUAL_PORTS) =>
    values[option] !== undefined || !simulated
      ? portOption(values[option], USUAL_PORTS[option], option)
      : { preferred: Object.values(values).includes(String(USUAL_PORTS[option])) ? 0 : USUAL_PORTS[option] };
  const simulate = simulated
    ? {
        port: port('simulator-port'),
        fault: faultOption(values['simulate-fault']),
        secret: values['simulate-secret'] as string | undefined,
      }
    : undefined;
  const given = Object.keys(values).find((name) => name.startsWith('simulat') && name !== 'simulate');
  if (!simulated && given) throw new UsageError([`--${given} is for --simulate`]);
  return {
    paths,
    ports: { adapter: port('port'), broker: port('broker-port'), dumper: port('dump-port') },
    publicUrl: urlOption(values['public-url']),
    proxies: proxiesIn(env),
    simulate,
    stateFolder: STATE_FOLDER,
    run: values['run'] === true ? env : undefined,
  };
}

function urlOption(value: Values[string]): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(String(value));
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return url.href.replace(/\/$/, '');
  throw new UsageError(['--public-url must be an http or https URL without query']);
}

function faultOption(value: Values[string]): { method: string; status: number } | undefined {
  if (value === undefined) return undefined;
  const [, method, status] = /^(GET|POST|PATCH|DELETE)=([45]\d\d)$/i.exec(String(value)) ?? [];
  if (method && status) return { method: method.toUpperCase(), status: Number(status) };
  throw new UsageError([
    '--simulate-fault must be METHOD=STATUS, such as POST=500; METHOD is GET, POST, PATCH or DELETE',
  ]);
}

function secondsOption(value: Values[string], fallback: number): number {
  if (value === undefined) return fallback;
  if (/^\d+(\.\d+)?$/.test(String(value))) return Number(value);
  throw new UsageError(['--timeout must be a number of seconds']);
}
