import { describe, expect, it } from 'vitest';
import { isWanted, type TriggerFilters } from '../../core/trigger-filter.ts';

const event = { specversion: '1.0', id: '1', source: '/s', type: 'dev.push', label: 'good first issue', empty: '' };

describe('isWanted', () => {
  const rows: { name: string; filters: TriggerFilters; wanted: boolean }[] = [
    { name: 'no filter', filters: {}, wanted: true },
    { name: 'an empty filter', filters: { filter: {} }, wanted: true },
    { name: 'no attributes', filters: { filter: { attributes: {} } }, wanted: true },
    { name: 'the same value', filters: { filter: { attributes: { type: 'dev.push' } } }, wanted: true },
    { name: 'another value', filters: { filter: { attributes: { type: 'dev.pull' } } }, wanted: false },
    { name: 'part of the value', filters: { filter: { attributes: { type: 'dev' } } }, wanted: false },
    { name: 'another case', filters: { filter: { attributes: { type: 'Dev.Push' } } }, wanted: false },
    { name: 'an extension', filters: { filter: { attributes: { label: 'good first issue' } } }, wanted: true },
    { name: 'all of several', filters: { filter: { attributes: { type: 'dev.push', source: '/s' } } }, wanted: true },
    { name: 'one of several', filters: { filter: { attributes: { type: 'dev.push', source: '/t' } } }, wanted: false },
    { name: "'' for any value", filters: { filter: { attributes: { type: '' } } }, wanted: true },
    { name: "'' for an empty value", filters: { filter: { attributes: { empty: '' } } }, wanted: true },
    { name: "'' for an extension that is absent", filters: { filter: { attributes: { action: '' } } }, wanted: false },
    { name: "'' for a subject that is absent", filters: { filter: { attributes: { subject: '' } } }, wanted: true },
    { name: 'a value where there is none', filters: { filter: { attributes: { action: 'opened' } } }, wanted: false },
    { name: 'what every object has', filters: { filter: { attributes: { constructor: '' } } }, wanted: false },
    { name: 'exact', filters: { filters: [{ exact: { type: 'dev.push' } }] }, wanted: true },
    { name: 'exact, another', filters: { filters: [{ exact: { type: 'dev' } }] }, wanted: false },
    { name: 'exact, absent', filters: { filters: [{ exact: { action: '' } }] }, wanted: false },
    { name: "exact, '' is no wildcard", filters: { filters: [{ exact: { type: '' } }] }, wanted: false },
    { name: 'prefix', filters: { filters: [{ prefix: { type: 'dev.' } }] }, wanted: true },
    { name: 'prefix, in the middle', filters: { filters: [{ prefix: { type: 'push' } }] }, wanted: false },
    { name: 'prefix, absent', filters: { filters: [{ prefix: { action: 'o' } }] }, wanted: false },
    {
      name: 'prefix of what every object has',
      filters: { filters: [{ prefix: { constructor: 'o' } }] },
      wanted: false,
    },
    { name: 'suffix', filters: { filters: [{ suffix: { type: '.push' } }] }, wanted: true },
    { name: 'suffix, at the beginning', filters: { filters: [{ suffix: { type: 'dev' } }] }, wanted: false },
    { name: 'suffix, absent', filters: { filters: [{ suffix: { action: 'd' } }] }, wanted: false },
    { name: 'all of one filter', filters: { filters: [{ prefix: { type: 'dev', source: '/' } }] }, wanted: true },
    { name: 'one of one filter', filters: { filters: [{ prefix: { type: 'dev', source: 'x' } }] }, wanted: false },
    {
      name: 'all filters',
      filters: { filters: [{ prefix: { type: 'dev' } }, { suffix: { type: 'push' } }] },
      wanted: true,
    },
    {
      name: 'one of the filters',
      filters: { filters: [{ prefix: { type: 'dev' } }, { suffix: { type: 'x' } }] },
      wanted: false,
    },
    {
      name: 'filters before filter',
      filters: { filter: { attributes: { type: 'x' } }, filters: [{ exact: { type: 'dev.push' } }] },
      wanted: true,
    },
    { name: 'no filters: filter', filters: { filter: { attributes: { type: 'x' } }, filters: [] }, wanted: false },
  ];
  for (const { name, filters, wanted } of rows)
    it(`${name}: ${wanted}`, () => expect(isWanted(event, filters)).toBe(wanted));
});
