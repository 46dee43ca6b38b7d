import { describe, expect, it } from 'vitest';
import { printerOf } from '../../cli/dev-printer.ts';
import type { DevLine } from '../../local/dev-line.ts';

/** What is printed of a line, on a terminal without colour. */
function printed(line: DevLine): string {
  let text = '';
  const out = (more: string) => void (text += more);
  printerOf({}, { program: 'headwater', env: {}, isTerminal: false, out, err: out })(line);
  return text;
}

const event = { eventType: 'a.b', id: '1' };

describe('for people', () => {
  const rows: { line: DevLine; text: string }[] = [
    {
      line: { type: 'handed-on', by: 'Trigger default/x', url: 'http://127.0.0.1:3000/', ...event },
      text: 'Trigger default/x → http://127.0.0.1:3000/  a.b  1\n',
    },
    {
      line: { type: 'unwanted', hub: 'Broker default/default', ...event },
      text: 'Broker default/default: nobody wants a.b  1\n',
    },
    {
      line: { type: 'delivery', source: 'default/x', eventType: 'push', id: '7', status: 202, outcome: 'kept' },
      text: '→ push  default/x  delivery 7  202 kept\n',
    },
    {
      line: { type: 'delivery', source: 'default/x', status: 202, outcome: 'kept', deadLettered: 'sink: answered 400' },
      text: '→ default/x  202 kept by the dead-letter sink, for the sink: answered 400\n',
    },
    {
      line: { type: 'delivery', status: 404, outcome: 'unknown-path', detail: '/hooks/x' },
      text: '→ 404 unknown-path: /hooks/x\n',
    },
    {
      line: { type: 'problem', file: 'a.yaml', line: 0, message: 'it is gone' },
      text: 'a.yaml: it is gone\n',
    },
    {
      line: { type: 'output', object: 'Deployment default/app', text: 'it \u001b[2J works' },
      text: 'Deployment default/app | it \\u001b[2J works\n',
    },
    {
      line: {
        type: 'event-types',
        eventTypes: [
          {
            hub: 'Broker demo/b',
            eventType: 'a.b',
            source: '/s',
            events: 12,
            wantedBy: ['Trigger demo/x', 'Trigger demo/y'],
          },
          { hub: 'Channel demo/c', eventType: 'a', source: '/sources', events: 1, wantedBy: [] },
        ],
      },
      text: [
        '',
        'SEEN AT          TYPE   SOURCE     EVENTS   WANTED BY',
        'Broker demo/b    a.b    /s         12       Trigger demo/x, Trigger demo/y',
        'Channel demo/c   a      /sources   1        nobody',
        '\n',
      ].join('\n'),
    },
    { line: { type: 'applied', file: 'a.yaml' }, text: 'a.yaml: applied\n' },
  ];
  for (const { line, text } of rows) it(text.trimEnd(), () => expect(printed(line)).toBe(text));
});
