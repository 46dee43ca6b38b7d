import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLine, pretty } from '../../dump/format.ts';
import { octetsOf, REQUIRED, REQUIRED_MEMBERS, TestDumper } from '../support/test-dumper.ts';

let dumper: TestDumper;
beforeAll(async () => {
  dumper = await TestDumper.start();
});
afterAll(() => dumper.stop());

interface Line {
  readonly label: string;
  readonly headwater: { readonly percentDecoded?: Readonly<Record<string, string>>; readonly attribute?: string };
}

const prettyLineOf = (text: string, name: string) => text.split('\n').find((line) => line.trimStart().startsWith(name));

describe('attributes are read as UTF-8, and shown in both readings where percent-decoding makes a difference', () => {
  const cases: { sent: string; decoded?: string; shown?: string }[] = [
    { sent: 'ü €uro 100% "q"' },
    { sent: '' },
    { sent: '100%' },
    { sent: '%zz %4' },
    { sent: '100%25', decoded: '100%' },
    { sent: '%E2%82%AC', decoded: '€' },
    { sent: '€ %e2%82%ac', decoded: '€ €' },
    { sent: 'a%0D%0Ab%1B[2J', decoded: 'a\r\nb\x1b[2J', shown: 'a\\u000d\\u000ab\\u001b[2J' },
    { sent: '%E2%80%AE', decoded: '\u202e', shown: '\\u202e' },
  ];
  for (const { sent, decoded, shown = decoded } of cases) {
    it(JSON.stringify(sent), async () => {
      const event = await dumper.receive({ ...REQUIRED, 'ce-label': octetsOf(sent) });
      expect(event.attributes['label']).toBe(sent);
      const line = JSON.parse(jsonLine(event)) as Line;
      expect(line.label).toBe(sent);
      expect(line.headwater.percentDecoded).toEqual(decoded === undefined ? undefined : { label: decoded });
      const second = shown === undefined ? '' : `   (percent-decoded: ${shown})`;
      const text = pretty(event, { dataLines: undefined, colour: false });
      expect(prettyLineOf(text, 'label')).toBe(`   label   ${sent}${second}`);
    });
  }
});

it('octets that are no UTF-8 are replaced', async () => {
  const event = await dumper.receive({ ...REQUIRED, 'ce-label': '\xe4' });
  expect(event.attributes['label']).toBe('\ufffd');
});

it('the content type is not percent-decoded', async () => {
  const event = await dumper.receive({ ...REQUIRED, 'content-type': `text/plain; x="${octetsOf('€')}%25"` }, 'x');
  expect(JSON.parse(jsonLine(event))).toMatchObject({ datacontenttype: 'text/plain; x="€%25"' });
  expect(jsonLine(event)).not.toContain('percentDecoded');
});

it('attributes of a document are not percent-decoded', async () => {
  const document = JSON.stringify({ ...REQUIRED_MEMBERS, label: '100%25' });
  const event = await dumper.receive({ 'content-type': 'application/cloudevents+json' }, document);
  expect(JSON.parse(jsonLine(event))).toMatchObject({ label: '100%25' });
  expect(jsonLine(event)).not.toContain('percentDecoded');
  expect(pretty(event, { dataLines: undefined, colour: false })).not.toContain('percent-decoded');
});

it('an attribute with the name of our own member is not lost', async () => {
  const event = await dumper.receive({ ...REQUIRED, 'ce-headwater': 'x' });
  const { headwater } = JSON.parse(jsonLine(event)) as Line;
  expect(headwater).toMatchObject({ mode: 'binary', attribute: 'x' });
});
