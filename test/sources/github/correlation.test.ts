import { describe, expect, it } from 'vitest';
import type { JsonObject, VerifiedDelivery } from '../../../sources/contract.ts';
import { toEvent } from '../../../sources/github/event.ts';
import { simulator } from '../../../sources/github/simulator.ts';
import { specDefinition } from '../../../sources/github/spec.ts';
import { numberTable, valueAt } from './attribute-table.ts';

/** Verification is not what is tested here: the delivery is taken as verified. */
function extensionsOf(eventType: string, body: string, provider: JsonObject): Record<string, string> {
  const headers = { 'x-github-event': eventType, 'x-github-delivery': '1', 'content-type': 'application/json' };
  const event = toEvent({ path: '/', headers, body: Buffer.from(body) } as unknown as VerifiedDelivery, provider);
  return 'malformed' in event ? { malformed: event.malformed } : Object.fromEntries(event.attributes.extensions);
}

/** What a source with this spec puts into its route. */
function providerOf(spec: object): JsonObject {
  const selector = { secretKeyRef: { name: 'github', key: 'secret' } };
  return specDefinition.planOf({ ownerAndRepository: 'o/r', eventTypes: ['*'], secretToken: selector, ...spec })
    .provider;
}

const asked = providerOf({ correlation: true });

describe('the recorded deliveries of a source that asks for correlation', () => {
  const names = [...new Set(simulator.recordedEvents.map(({ eventType }) => eventType))];
  it.each(names)('%s: the number where it is about one, everything else as without', (eventType) => {
    const [path = 'none', recorded = 0] = numberTable[eventType] ?? [];
    let carrying = 0;
    for (const { payload } of simulator.recordedEvents.filter((event) => event.eventType === eventType)) {
      const body = JSON.stringify(payload);
      const { githubnumber, ...others } = extensionsOf(eventType, body, asked);
      expect(others).toEqual(extensionsOf(eventType, body, {}));
      if (githubnumber === undefined) continue;
      expect(githubnumber).toBe(valueAt(payload, path));
      carrying += 1;
    }
    expect(carrying).toBe(recorded);
  });
});

describe('which number an event carries', () => {
  const repository = { id: 5 };
  const one = { number: 7, base: { repo: { id: 5 } } };
  const rows: { name: string; eventType?: string; payload: JsonObject; number: string | undefined }[] = [
    { name: 'an event nobody knows yet, of an issue', payload: { issue: { number: 7 } }, number: '7' },
    { name: 'neither', payload: { discussion: { number: 7 } }, number: undefined },
    { name: 'null for an issue', payload: { issue: null }, number: undefined },
    { name: 'a number that is none', payload: { issue: { number: {} } }, number: undefined },
    ...['check_run', 'check_suite', 'workflow_run'].flatMap((run) => [
      { name: `a ${run} of one`, payload: { repository, [run]: { pull_requests: [one] } }, number: '7' },
      {
        name: `a ${run} of one here and one elsewhere`,
        payload: { repository, [run]: { pull_requests: [{ number: 8, base: { repo: { id: 6 } } }, one] } },
        number: '7',
      },
      {
        name: `a ${run} of two: it is about neither alone`,
        payload: { repository, [run]: { pull_requests: [one, { ...one, number: 8 }] } },
        number: undefined,
      },
      { name: `a ${run} of none`, payload: { repository, [run]: { pull_requests: [] } }, number: undefined },
      {
        name: `a ${run} with what is no list`,
        payload: { repository, [run]: { pull_requests: 7 } },
        number: undefined,
      },
      { name: `a ${run} without repository`, payload: { [run]: { pull_requests: [one] } }, number: undefined },
    ]),
    {
      name: 'a deployment by a workflow that ran for one',
      payload: { repository, check_run: { pull_requests: [] }, workflow_run: { pull_requests: [one] } },
      number: '7',
    },
  ];
  it.each(rows)('$name: $number', ({ payload, number }) =>
    expect(extensionsOf('thing_done', JSON.stringify(payload), asked)['githubnumber']).toBe(number),
  );

  it('keeps its digits, though a double cannot hold them', () =>
    expect(extensionsOf('issue_comment', '{"issue":{"number":12345678901234567890}}', asked)['githubnumber']).toBe(
      '12345678901234567890',
    ));
});

it('is sent only where the source asks for it', () => {
  expect(asked).toEqual({ correlation: true });
  for (const spec of [{}, { correlation: false }]) expect(providerOf(spec)).toEqual({});
  expect(extensionsOf('issues', '{"issue":{"number":7}}', { correlation: 'true' })).not.toHaveProperty('githubnumber');
});

it('is declared with its name and the events that carry it', () => {
  expect(specDefinition.correlation?.extension).toBe('githubnumber');
  expect(specDefinition.correlation?.eventTypes).toEqual(Object.keys(numberTable));
});
