import { styleText } from 'node:util';
import { placeOf } from '../core/place-of.ts';
import type { ReceivedEvent } from '../dump/event.ts';
import { jsonLine, pretty, printable } from '../dump/format.ts';
import type { DevLine, Report, SourceRow } from '../local/dev-line.ts';
import type { SeenEventType } from '../local/seen-event-types.ts';
import { type Terminal, UsageError, type Values } from './command.ts';

/** How local mode's lines are printed: for people, or as one JSON object each. */
export function printerOf(values: Values, { out, err, env, isTerminal }: Terminal): Report {
  const output = values['output'] ?? 'text';
  if (output === 'json')
    return (line) => out(`${line.type === 'event' ? jsonLine(line.event) : JSON.stringify(line)}\n`);
  if (output !== 'text') throw new UsageError(['--output must be text or json']);
  const colour = isTerminal && !env['NO_COLOR'];
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const unrepeated = withoutRepeats();
  return (line) => {
    if (line.type === 'missing') err(`headwater dev: ${printable(line.message)}\n`);
    else if (line.type === 'event' && values['full'] === true)
      out(`${pretty(line.event, { dataLines: undefined, colour })}\n`);
    else for (const text of textsOf(line.type === 'event' ? line : escaped(unrepeated(line)), paint)) out(`${text}\n`);
  };
}

/** Ready says again what the condition said that it sums up: once is enough for people. */
function withoutRepeats(): (line: DevLine) => DevLine {
  const said = new Map<string, string | undefined>();
  return (line) => {
    if (line.type !== 'condition') return line;
    const { message, ...rest } = line.condition;
    if (message !== undefined && said.get(line.object) === message) return { ...line, condition: rest };
    said.set(line.object, message);
    return line;
  };
}

/** Texts come from providers, files and events: none may move the cursor. */
function escaped<Line extends DevLine>(line: Line): Line {
  return JSON.parse(JSON.stringify(line), (_name, value: unknown) =>
    typeof value === 'string' ? printable(value) : value,
  ) as Line;
}

type Paint = (style: 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', text: string) => string;

function textsOf(line: DevLine, paint: Paint): string[] {
  switch (line.type) {
    case 'started':
      return [`${line.what.padEnd(9)}  ${line.url}`];
    case 'note':
    case 'missing':
      return [paint('dim', line.message)];
    case 'problem':
      return [paint('red', `${placeOf(line.file)}${line.line > 0 ? `:${line.line}` : ''}: ${line.message}`)];
    case 'applied':
      return [paint('dim', `${placeOf(line.file)}: applied`)];
    case 'condition':
      return [conditionText(line, paint)];
    case 'gone':
      return [`${line.object}  ${paint('dim', 'gone')}`];
    case 'announcement':
      return [`${line.object}  ${paint(line.warning ? 'yellow' : 'dim', line.reason)}: ${line.message}`];
    case 'sources':
      return ['', ...tableOf(line.sources), ''];
    case 'delivery':
      return [deliveryText(line, paint)];
    case 'handed-on':
      return [`${line.by} → ${line.url}  ${line.eventType}  ${line.id}`];
    case 'unwanted':
      return [`${line.hub}: ${paint('dim', 'nobody wants')} ${line.eventType}  ${line.id}`];
    case 'event-types':
      return ['', ...eventTypeTable(line.eventTypes), ''];
    case 'output':
      return [`${paint('dim', `${line.object} |`)} ${line.text}`];
    case 'event':
      return [eventText(line.event, paint)];
    case 'warning':
      return [`${line.from}: ${paint('yellow', line.message)}`];
    default:
      return line satisfies never;
  }
}

function conditionText({ object, condition }: Extract<DevLine, { type: 'condition' }>, paint: Paint): string {
  const { type, status, reason, message } = condition;
  const style = status === 'True' ? 'green' : status === 'False' ? 'red' : 'yellow';
  const why = [reason, message].filter(Boolean).join(': ');
  return `${object}  ${paint(style, `${type}=${status}`)}${why && `  ${why}`}`;
}

function deliveryText(line: Extract<DevLine, { type: 'delivery' }>, paint: Paint): string {
  const { eventType, source, id, status, outcome, detail, deadLettered } = line;
  const last = deadLettered === undefined ? '' : ` by the dead-letter sink, for the ${deadLettered}`;
  const answer = `${status} ${outcome}${last}${detail === undefined ? '' : `: ${detail}`}`;
  const isWell = status < 400 && deadLettered === undefined;
  const told = [eventType, source, id && `delivery ${id}`, isWell ? answer : paint('yellow', answer)];
  return `→ ${told.filter(Boolean).join('  ')}`;
}

function eventText({ attributes, data }: ReceivedEvent, paint: Paint): string {
  const { type, subject, id } = attributes as Readonly<Record<string, string | undefined>>;
  const told = [
    paint('cyan', printable(`${type}`)),
    subject && printable(subject),
    printable(`${id}`),
    `${data?.length ?? 0} bytes`,
  ];
  return `☁ ${told.filter(Boolean).join('  ')}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** As `kubectl get` prints a time. */
function ageOf(created: string): string {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(created)) / 1000));
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? UNITS[3];
  return `${Math.floor(seconds / size)}${unit}`;
}

/** The table as `kubectl get` prints it. */
function tableOf(sources: readonly SourceRow[]): string[] {
  const header = ['NAMESPACE', 'NAME', 'READY', 'REASON', 'URL', 'SINK', 'AGE'];
  const rows = sources.map(({ namespace, name, ready, reason, url, sink, created }) => [
    namespace,
    name,
    ready,
    reason,
    url,
    sink,
    ageOf(created),
  ]);
  return inColumns([header, ...rows]);
}

function eventTypeTable(eventTypes: readonly SeenEventType[]): string[] {
  const rows = eventTypes.map(({ hub, eventType, source, events, wantedBy }) => [
    hub,
    eventType,
    source,
    String(events),
    wantedBy.join(', ') || 'nobody',
  ]);
  return inColumns([['SEEN AT', 'TYPE', 'SOURCE', 'EVENTS', 'WANTED BY'], ...rows]);
}

function inColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
