import { expect, it } from 'vitest';
import { attributesOf, eventAttributesOf } from '../../../sources/github/attributes.ts';
import { at } from '../../../sources/github/payload.ts';
import { simulator } from '../../../sources/github/simulator.ts';

const events = simulator.recordedEvents;

it('says of every recorded event which attributes it carries, and where their values stand', () => {
  expect(events.length).toBeGreaterThan(300);
  const wrong: unknown[] = [];
  for (const { eventType, payload } of events) {
    const said = new Map(eventAttributesOf(eventType).map((attribute) => [attribute.name, attribute]));
    const { subject, extensions } = attributesOf(eventType, payload);
    const carried = new Map([
      ...extensions,
      ...(subject === undefined || subject === '' ? [] : [['subject', subject] as const]),
    ]);
    for (const { name, always } of said.values())
      if (always && !carried.has(name)) wrong.push({ eventType, name, lacks: true });
    for (const [name, value] of carried) {
      const member = said.get(name)?.member;
      const inPayload = member && at(payload, member);
      if (!said.has(name) || (inPayload ?? value) !== value) wrong.push({ eventType, name, value, inPayload });
    }
  }
  expect(wrong).toEqual([]);
});

it.each([
  ['pull_request', 'action', { member: ['action'], always: true }],
  ['pull_request', 'subject', { member: ['pull_request', 'number'], always: true }],
  ['pull_request', 'assignee', { member: ['assignee', 'login'], always: false }],
  ['issue_comment', 'subject', { member: undefined, always: false }],
  ['release', 'release', { member: ['release', 'name'], always: false }],
  ['release', 'subject', { member: ['release', 'tag_name'], always: false }],
  ['a_new_event', 'action', { member: ['action'], always: false }],
])('says of %s where %s comes from', (eventType, name, expected) => {
  expect(eventAttributesOf(eventType).find((attribute) => attribute.name === name)).toEqual({ name, ...expected });
});
