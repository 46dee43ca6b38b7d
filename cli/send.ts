import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigurationError, messageOf } from '../core/errors.ts';
import { bodyForms, type JsonObject, type Simulator } from '../sources/contract.ts';
import { definitionOf, sources } from '../sources/registry.ts';
import type { Command, Terminal } from './command.ts';

/** Longer than any provider waits. */
const TIMEOUT_MS = 35_000;

export const sendCommand: Command = {
  name: 'send',
  argumentNames: 'EVENT|FILE',
  summary: 'post a delivery, signed as the provider signs it',
  options: {
    url: { type: 'string', value: 'URL', help: 'the webhook URL' },
    'secret-file': {
      type: 'string',
      value: 'FILE',
      help: 'holds the webhook secret; a line break at its end is not part of it',
    },
    event: { type: 'string', value: 'EVENT', help: 'the event a FILE is (the part of its name before the first dot)' },
    id: { type: 'string', value: 'ID', help: 'the delivery id (a new one)' },
    form: {
      type: 'string',
      value: 'FORM',
      help: `how the body is written: ${bodyForms.join(', ')} (compact; a FILE as it is)`,
    },
    kind: { type: 'string', value: 'KIND', help: `the kind of source (${sources[0]?.kind})` },
    list: { type: 'boolean', help: 'list the recorded events' },
  },
  more: `
EVENT is the name of a recorded event, or name.action; FILE holds the payload.
Ends with 0 only when the answer was 2xx.
`,
  async run({ values, positionals }, terminal) {
    const definition = typeof values['kind'] === 'string' ? definitionOf(values['kind']) : sources[0];
    if (!definition) throw new ConfigurationError('options', [`--kind: there is no ${String(values['kind'])}`]);
    const simulator = await definition.loadSimulator();
    if (values['list'] === true) return list(simulator, terminal);
    const [what, ...others] = positionals;
    const { url, 'secret-file': secretFile } = values;
    const problems = [
      ...(what === undefined || others.length > 0 ? ['name one EVENT or FILE (--list shows the events)'] : []),
      ...(typeof url === 'string' && URL.canParse(url) ? [] : ['--url must be the webhook URL']),
      ...(typeof secretFile === 'string' ? [] : ['--secret-file must name the file with the webhook secret']),
    ];
    if (problems.length > 0) throw new ConfigurationError('options', problems);
    const form = bodyForms.find((known) => known === values['form']);
    if (values['form'] !== undefined && !form)
      throw new ConfigurationError('options', [`--form: ${bodyForms.join(', ')}`]);
    const secret = (await readText(String(secretFile))).toString('utf8').replace(/\r?\n$/, '');
    if (secret === '') throw new ConfigurationError('options', [`the secret in ${String(secretFile)} is empty`]);
    const event = await eventOf(String(what), values['event'], simulator);
    const id = typeof values['id'] === 'string' ? { id: values['id'] } : {};
    return post(String(url), simulator.deliver({ ...event, ...id, ...(form && { form }) }, secret), terminal);
  },
};

function list({ recordedEvents }: Simulator, terminal: Terminal): number {
  const actions = new Map<string, Map<string, number>>();
  for (const { eventType, action = '' } of recordedEvents) {
    const counts = actions.get(eventType) ?? new Map<string, number>();
    actions.set(eventType, counts.set(action, (counts.get(action) ?? 0) + 1));
  }
  for (const [eventType, counts] of actions) {
    terminal.out(
      `${eventType}${[...counts.keys()].filter(Boolean).length > 0 ? `  ${[...counts.keys()].join(' ')}` : ''}\n`,
    );
  }
  return 0;
}

async function readText(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigurationError('options', [messageOf(error)], { cause: error });
  }
}

async function eventOf(
  what: string,
  eventType: string | boolean | undefined,
  { recordedEvents }: Simulator,
): Promise<{ eventType: string; payload: JsonObject | Buffer }> {
  const recorded = recordedEvents.find(
    (event) => event.eventType === what || `${event.eventType}.${event.action}` === what,
  );
  if (recorded) return recorded;
  if (!/[./]/.test(what))
    throw new ConfigurationError('options', [`there is no recorded event "${what}" (see --list)`]);
  const payload = await readText(what);
  return { eventType: typeof eventType === 'string' ? eventType : (basename(what).split('.')[0] ?? ''), payload };
}

async function post(
  url: string,
  { id, headers, body }: { id: string; headers: Readonly<Record<string, string>>; body: Buffer },
  terminal: Terminal,
): Promise<number> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), redirect: 'manual', signal });
    terminal.out(`${reply.status} ${(await reply.text()).trim()} (delivery ${id})\n`);
    return reply.ok ? 0 : 1;
  } catch (error) {
    const cause = error instanceof Error && error.cause ? `: ${messageOf(error.cause)}` : '';
    terminal.err(`headwater send: ${messageOf(error)}${cause}\n`);
    return 1;
  }
}
