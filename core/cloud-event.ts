/** The context attributes of one event but `source` and `specversion`, which are the same for a whole route. */
export interface EventAttributes {
  readonly id: string;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly extensions: readonly (readonly [name: string, value: string])[];
}

/** CloudEvents 1.0, "Naming conventions": lower-case ASCII letters and digits. */
export const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

/** The attributes CloudEvents 1.0 requires: extensions must not override them (Knative source specification). */
export const REQUIRED_ATTRIBUTES: ReadonlySet<string> = new Set(['id', 'source', 'type', 'specversion']);

/** `data` is no attribute's name (CloudEvents 1.0, "Naming conventions"); the content type is that of the data as it is sent. */
export const RESERVED_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'datacontenttype']);

/** What can be sent as a header value as it is: latin1, and no control characters but tab. */
export const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

const NOTHING_TO_ENCODE = /^[\t\x20-\x7e]*$/;
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;

/**
 * An attribute's value as `eventFormat: knative` sends it: UTF-8 octets unescaped, as upstream does, because Knative's
 * SDK does not decode; control characters other than tab percent-encoded. The result holds one octet per character
 * (latin1), which is how Node and undici write header values.
 */
export function headerValueOf(text: string): string {
  if (NOTHING_TO_ENCODE.test(text)) return text;
  const octets = Buffer.from(text, 'utf8').toString('latin1');
  return octets.replace(CONTROL, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** The text of a received header value, whose octets Node hands over as latin1, read as UTF-8. */
export function textOfHeader(value: string): string {
  return NOTHING_TO_ENCODE.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}

/** The second reading of a header value: percent-decoded as the CloudEvents HTTP binding 1.0.2, 3.1.3.2, says. */
export function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}
