import { describe, expect, it } from 'vitest';
import { mismatchesOf } from '../../core/filter-mismatch.ts';
import { isWanted, type TriggerFilters } from '../../core/trigger-filter.ts';

const event = { type: 'a.b', source: '/x', action: 'opened' };

/** `name: wanted / found`, with `?` behind alternatives. */
const cases: { name: string; filters: TriggerFilters; unmet: string[] }[] = [
  { name: 'nothing, where nothing is asked for', filters: {}, unmet: [] },
  {
    name: 'nothing, where all is met',
    filters: { filters: [{ exact: { type: 'a.b' } }, { prefix: { type: 'a' } }] },
    unmet: [],
  },
  {
    name: 'attributes of filter',
    filters: { filter: { attributes: { type: 'a.c', action: 'opened' } } },
    unmet: ['type: a.c / a.b'],
  },
  {
    name: 'an attribute of filter that must only be there',
    filters: { filter: { attributes: { label: '' } } },
    unmet: ['label: any value / -'],
  },
  {
    name: 'filters rather than filter',
    filters: { filter: { attributes: { type: 'z' } }, filters: [{ exact: { action: 'closed' } }] },
    unmet: ['action: closed / opened'],
  },
  {
    name: 'of several attributes those that differ',
    filters: { filters: [{ exact: { type: 'a.b', action: 'closed', label: 'x' } }] },
    unmet: ['action: closed / opened', 'label: x / -'],
  },
  {
    name: 'a beginning and an end',
    filters: { filters: [{ prefix: { type: 'b' } }, { suffix: { source: 'y' } }] },
    unmet: ['type: b… / a.b', 'source: …y / /x'],
  },
  {
    name: 'what fails within all',
    filters: { filters: [{ all: [{ exact: { type: 'a.b' } }, { exact: { action: 'closed' } }] }] },
    unmet: ['action: closed / opened'],
  },
  {
    name: 'each alternative of any',
    filters: {
      filters: [
        {
          any: [
            { exact: { action: 'closed' } },
            { all: [{ exact: { type: 'a.b' } }, { exact: { action: 'edited' } }] },
          ],
        },
      ],
    },
    unmet: ['action: closed / opened ?', 'action: edited / opened ?'],
  },
  {
    name: 'nothing of an any of which one is met',
    filters: { filters: [{ any: [{ exact: { action: 'closed' } }, { exact: { action: 'opened' } }] }] },
    unmet: [],
  },
  {
    name: 'what must not be',
    filters: { filters: [{ not: { any: [{ prefix: { type: 'a' } }, { suffix: { type: 'q' } }] } }] },
    unmet: ['type: not a… / a.b', 'type: not …q / a.b'],
  },
  {
    name: 'what must not be not so',
    filters: { filters: [{ not: { not: { exact: { type: 'z' } } } }] },
    unmet: ['type: not not z / a.b'],
  },
  {
    name: 'an expression, which nothing here evaluates',
    filters: { filters: [{ cesql: 'TRUE' }] },
    unmet: ['cesql: TRUE / -'],
  },
  {
    name: 'no attribute that objects have by themselves',
    filters: { filters: [{ exact: { constructor: 'x' } }] },
    unmet: ['constructor: x / -'],
  },
];

describe('an event does not meet', () => {
  for (const { name, filters, unmet } of cases) {
    it(name, () => {
      const found = mismatchesOf(event, filters);
      expect(
        found.map((one) => `${one.name}: ${one.wanted} / ${one.found ?? '-'}${one.isAlternative ? ' ?' : ''}`),
      ).toEqual(unmet);
      expect(found.length === 0).toBe(isWanted(event, filters));
    });
  }
});
