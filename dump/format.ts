import { styleText } from 'node:util';
import { percentDecoded } from '../core/cloud-event.ts';
import { contentTypeOf, isJson, type ReceivedEvent, sha256Of } from './event.ts';
import { indented } from './exact-json.ts';

/** What moves a terminal's cursor, colour or writing direction, or ends a line; and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Bidi_Control}\p{Surrogate}]/gu;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text from outside, safe on a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** Values whose two readings differ: as sent by Knative's sources, and as the HTTP binding's 3.1.3.2 decodes them. */
function secondReadings({ mode, attributes }: ReceivedEvent): Record<string, string> {
  if (mode !== 'binary') return {};
  const readings = Object.entries(attributes).map(([name, value]) => [name, percentDecoded(String(value))] as const);
  return Object.fromEntries(
    readings.filter(([name, decoded]) => name !== 'datacontenttype' && decoded !== attributes[name]),
  );
}

/**
 * One line of JSON: the event in CloudEvents' JSON format, its data with every token as received, and a member
 * `headwater` about the receipt.
 */
export function jsonLine(event: ReceivedEvent): string {
  const { attributes, data, mode, receivedAt } = event;
  const percentDecodedValues = secondReadings(event);
  const receipt = {
    receivedAt: receivedAt.toISOString(),
    mode,
    ...(data && { dataBytes: data.length, dataSha256: sha256Of(data) }),
    ...(Object.keys(percentDecodedValues).length > 0 && { percentDecoded: percentDecodedValues }),
    // An attribute may have the name of this member.
    ...('headwater' in attributes && { attribute: attributes['headwater'] }),
  };
  const members = Object.entries({ ...attributes, headwater: receipt }).map(member);
  if (data && isJson(event)) members.push(`"data":${onOneLine(data.toString('utf8'))}`);
  else if (data) members.push(member(['data_base64', data.toString('base64')]));
  return `{${members.join(',')}}`;
}

function member([name, value]: [string, unknown]): string {
  return printable(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
}

/** Raw control characters in valid JSON are white space between tokens; others stand inside strings. */
function onOneLine(json: string): string {
  return printable(json.trim().replace(/[\t\n\r]/g, ' '));
}

/** CloudEvents 1.0: attribute names should not be longer; values stand in line up to there. */
const LONG_NAME = 20;

export interface PrettyOptions {
  /** Lines of data shown; undefined: all. */
  readonly dataLines: number | undefined;
  readonly colour: boolean;
}

/** Several lines for a person; every character from outside is printable. */
export function pretty(event: ReceivedEvent, options: PrettyOptions): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const { type, specversion: _version, datacontenttype: _type, ...rest } = event.attributes;
  const second = secondReadings(event);
  const width = Object.keys(rest).reduce((most, { length }) => Math.max(most, Math.min(length, LONG_NAME)), 4);
  const lines = [`${paint('cyan', '☁')}  ${paint(['bold', 'cyan'], printable(String(type)))}`];
  for (const [name, value] of Object.entries(rest)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const other = second[name] === undefined ? '' : paint('dim', `   (percent-decoded: ${printable(second[name])})`);
    lines.push(`   ${paint('dim', printable(name).padEnd(width))}  ${printable(text)}${other}`);
  }
  const { data } = event;
  const about = data
    ? `${printable(contentTypeOf(event.attributes) ?? 'no content type')}, ${data.length} bytes, sha256 ${sha256Of(data)}`
    : 'none';
  lines.push(`   ${paint('dim', 'data'.padEnd(width))}  ${about}`);
  const dataLines = data ? linesOf(event, data) : [];
  const shown = dataLines.slice(0, options.dataLines).map((line) => cut(line, options));
  lines.push(...shown.map((line) => `     ${printable(line)}`));
  const hidden = dataLines.length - shown.length;
  if (hidden > 0) lines.push(paint('dim', `     … ${hidden} more lines (--full shows them)`));
  return `${lines.join('\n')}\n`;
}

const LONG_LINE = 400;

function cut(line: string, { dataLines }: PrettyOptions): string {
  const more = line.length - LONG_LINE;
  return dataLines === undefined || more <= 0 ? line : `${line.slice(0, LONG_LINE)}… ${more} more characters`;
}

function linesOf(event: ReceivedEvent, data: Buffer): string[] {
  const text = data.toString('utf8');
  return (isJson(event) ? indented(text) : text).split('\n');
}
