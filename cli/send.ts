import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { codeOf, messageOf } from '../core/errors.ts';
import { printable } from '../dump/format.ts';
import { postDelivery } from '../local/post-delivery.ts';
import { type BodyForm, bodyForms, type JsonObject, type SignedDelivery, type Simulator } from '../sources/contract.ts';
import { definitionOf, sources } from '../sources/registry.ts';
import { type Command, listOption, type Terminal, UsageError, type Values } from './command.ts';
import { STATE_FOLDER } from './dev.ts';

const LOCAL_ADAPTER = 'http://127.0.0.1:8080';

export const sendCommand: Command = {
  name: 'send',
  argumentNames: 'EVENT|FILE',
  summary: 'post a delivery, signed as the provider signs it',
  options: {
    file: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'PATH',
      help: 'manifests of headwater dev: URL and secret are taken from the source in them',
    },
    source: { type: 'string', value: '[NAMESPACE/]NAME', help: 'which source, where the manifests hold several' },
    adapter: { type: 'string', value: 'URL', help: 'with -f: where the adapter is (http://127.0.0.1:8080)' },
    url: { type: 'string', value: 'URL', help: 'without -f: the webhook URL' },
    'secret-file': {
      type: 'string',
      value: 'FILE',
      help: 'without -f: holds the webhook secret; a line break at its end is not part of it',
    },
    event: {
      type: 'string',
      value: 'EVENT',
      help: 'the event a FILE is (the part of its name before the first dot, where that is a known event)',
    },
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
EVENT is the name of a recorded event, or name.action; of several recorded ones it
is the first. FILE holds the payload.
Ends with 0 only when the answer was 2xx.
`,
  async run({ values, positionals }, terminal) {
    if (values['list'] === true) return list(await simulatorOf(values['kind']), terminal);
    const { what, eventType, ...idAndForm } = readOptions(values, positionals);
    const { kind, url, secret } = await targetOf(values);
    const simulator = await simulatorOf(kind);
    const event = await eventOf(what, eventType, simulator);
    const hint = listOption(values['file']).length > 0 ? '; is headwater dev running? else name it with --adapter' : '';
    return post(url, simulator.deliver({ ...event, ...idAndForm }, secret), { terminal, hint });
  },
};

interface Target {
  readonly kind: Values[string];
  readonly url: string;
  readonly secret: string;
}

/** What is wrong with where to send to: named by manifests, or given. */
function problemsOfTarget(values: Values): string[] {
  const { url, source, adapter = LOCAL_ADAPTER, 'secret-file': secretFile } = values;
  if (listOption(values['file']).length > 0) {
    return [
      url === undefined && secretFile === undefined ? '' : 'with -f, --url and --secret-file are not given',
      httpUrl(adapter) ? '' : '--adapter must be an http or https URL',
    ];
  }
  return [
    httpUrl(url) ? '' : '--url must be the webhook URL, http or https (or name manifests: -f PATH)',
    secretFile ? '' : '--secret-file must name the file with the webhook secret',
    (source ?? values['adapter']) === undefined ? '' : '--source and --adapter are for manifests: -f PATH',
  ];
}

/** Where to send, and what to sign with. */
async function targetOf(values: Values): Promise<Target> {
  const {
    kind,
    url,
    source,
    adapter = LOCAL_ADAPTER,
    'secret-file': secretFile,
  } = values as Readonly<Record<string, string>>;
  const paths = listOption(values['file']);
  if (paths.length > 0) {
    const { manifestTarget } = await import('../local/manifest-target.ts');
    const found = await manifestTarget(paths, source, STATE_FOLDER);
    return { kind: found.kind, url: adapter.replace(/\/+$/, '') + found.path, secret: found.secret };
  }
  const secret = (await read(String(secretFile))).toString('utf8').replace(/\r?\n$/, '');
  if (secret === '') throw new UsageError([`the secret in ${secretFile} is empty`]);
  return { kind, url: String(url), secret };
}

function httpUrl(value: Values[string]): URL | undefined {
  const url = URL.parse(String(value));
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

async function simulatorOf(kind: Values[string]): Promise<Simulator> {
  const definition = kind === undefined ? sources[0] : definitionOf(String(kind));
  if (!definition) throw new UsageError([`--kind must be ${sources.map((source) => source.kind).join(' or ')}`]);
  return definition.loadSimulator();
}

interface SendOptions {
  readonly what: string;
  readonly eventType: string | undefined;
  readonly id?: string;
  readonly form?: BodyForm;
}

function readOptions(values: Values, [what, ...others]: readonly string[]): SendOptions {
  // Neither is a list, nor a boolean option.
  const { event: eventType, id } = values as Readonly<Record<string, string>>;
  const form = bodyForms.find((known) => known === values['form']);
  const problems = [
    what && others.length === 0 ? '' : 'name one EVENT or FILE (--list shows the events)',
    ...problemsOfTarget(values),
    /^[\x20-\x7e]*$/.test(id ?? '') ? '' : '--id must be plain ASCII on one line',
    form || values['form'] === undefined ? '' : `--form must be ${bodyForms.join(' or ')}`,
  ].filter(Boolean);
  if (!what || problems.length > 0) throw new UsageError(problems);
  return { what, eventType, ...(id !== undefined && { id }), ...(form && { form }) };
}

function list({ recordedEvents }: Simulator, terminal: Terminal): number {
  const actions = new Map<string, Set<string>>();
  for (const { eventType, action } of recordedEvents) {
    const known = actions.get(eventType) ?? new Set();
    actions.set(eventType, action ? known.add(action) : known);
  }
  for (const [eventType, known] of actions)
    terminal.out(`${printable(`${eventType}  ${[...known].join(' ')}`).trimEnd()}\n`);
  return 0;
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError([`${path} cannot be read: ${messageOf(error)}`], { cause: error });
  }
}

/** A recorded event, or the file `what`; it is a file when `eventType` says of which event. */
async function eventOf(
  what: string,
  eventType: string | undefined,
  { recordedEvents }: Simulator,
): Promise<{ eventType: string; payload: JsonObject | Buffer }> {
  const recorded = recordedEvents.find(
    (event) => event.eventType === what || (event.action && `${event.eventType}.${event.action}` === what),
  );
  if (recorded && eventType === undefined) return recorded;
  if (recorded && !existsSync(what))
    throw new UsageError([`--event says which event a FILE is, and there is no file "${what}"`]);
  const eventName = what.split('.')[0];
  const isEvent = recordedEvents.some((event) => event.eventType === eventName);
  if (eventType === undefined && !existsSync(what) && (isEvent || !/[./]/.test(what)))
    throw new UsageError([`there is no recorded event "${what}", nor a file (--list shows the events)`]);
  const name = basename(what).split('.')[0];
  const named = eventType ?? recordedEvents.find((event) => event.eventType === name)?.eventType;
  if (named) return { eventType: named, payload: await read(what) };
  throw new UsageError([`--event must say which event ${what} is: "${name}" is none that is known`]);
}

/** `hint` is for when nobody listens. */
async function post(
  url: string,
  delivery: SignedDelivery,
  { terminal, hint }: { terminal: Terminal; hint: string },
): Promise<number> {
  try {
    const { status, text } = await postDelivery(url, delivery);
    terminal.out(`${[status, text, `(delivery ${printable(delivery.id)})`].filter(Boolean).join(' ')}\n`);
    return status >= 200 && status < 300 ? 0 : 1;
  } catch (error) {
    const isRefused = codeOf(rootOf(error)) === 'ECONNREFUSED';
    terminal.err(`headwater send: ${messageOf(error)}${isRefused ? hint : ''}\n`);
    return 1;
  }
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
