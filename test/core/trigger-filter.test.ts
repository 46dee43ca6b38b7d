import { describe, expect, it } from 'vitest';
import { pathText } from '../../core/schema.ts';
import { filterFaults, isWanted, type TriggerFilters } from '../../core/trigger-filter.ts';

const event = { specversion: '1.0', id: '1', source: '/s', type: 'dev.push', label: 'good first issue', empty: '' };

const YES = { exact: { type: 'dev.push' } };
const NO = { exact: { type: 'dev.pull' } };

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
    { name: 'all', filters: { filters: [{ all: [YES, YES] }] }, wanted: true },
    { name: 'all, but one', filters: { filters: [{ all: [YES, NO] }] }, wanted: false },
    { name: 'all, the first not', filters: { filters: [{ all: [NO, YES] }] }, wanted: false },
    { name: 'any', filters: { filters: [{ any: [NO, YES] }] }, wanted: true },
    { name: 'any, the first', filters: { filters: [{ any: [YES, NO] }] }, wanted: true },
    { name: 'any, none', filters: { filters: [{ any: [NO, NO] }] }, wanted: false },
    { name: 'not', filters: { filters: [{ not: NO }] }, wanted: true },
    { name: 'not, what is', filters: { filters: [{ not: YES }] }, wanted: false },
    { name: 'not, an attribute that is absent', filters: { filters: [{ not: { exact: { a: 'b' } } }] }, wanted: true },
    { name: 'nested', filters: { filters: [{ any: [NO, { all: [YES, { not: { any: [NO] } }] }] }] }, wanted: true },
    {
      name: 'nested, not',
      filters: { filters: [{ any: [NO, { all: [YES, { not: { any: [YES] } }] }] }] },
      wanted: false,
    },
    // An empty filter says nothing, whatever is around it.
    { name: 'an empty one', filters: { filters: [{}] }, wanted: true },
    { name: 'not an empty one', filters: { filters: [{ not: {} }] }, wanted: true },
    { name: 'not an empty map', filters: { filters: [{ not: { exact: {} } }] }, wanted: true },
    { name: 'an empty list', filters: { filters: [{ any: [] }, { all: [] }] }, wanted: true },
    { name: 'an empty one beside another', filters: { filters: [{ any: [{}, NO] }] }, wanted: false },
    { name: 'CloudEvents SQL', filters: { filters: [{ cesql: 'TRUE' }] }, wanted: false },
    {
      name: 'CloudEvents SQL, nested',
      filters: { filters: [{ any: [YES, { not: { cesql: 'FALSE' } }] }] },
      wanted: false,
    },
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

describe('filterFaults', () => {
  const rows: { name: string; filters: unknown[]; faults: string[] }[] = [
    {
      name: 'nothing',
      filters: [YES, {}, { all: [{ any: [YES] }, { not: { suffix: { a: 'b', c: 'd' } } }] }, { cesql: 'TRUE' }],
      faults: [],
    },
    {
      name: 'two dialects in one',
      filters: [{ ...YES, prefix: { type: 'x' } }],
      faults: ['filters[0]: a filter has one dialect, not exact, prefix: make it several filters, which must all hold'],
    },
    {
      name: 'an unknown dialect, deep inside',
      filters: [{ not: { all: [YES, { any: [{ exakt: {} }] }] } }],
      faults: ['filters[0].not.all[1].any[0].exakt: there is no filter dialect exakt; did you mean exact?'],
    },
    {
      name: 'an unknown dialect like no other',
      filters: [{ regularExpression: {} }],
      faults: [
        'filters[0].regularExpression: there is no filter dialect regularExpression; known are exact, prefix, suffix, all, any, not, cesql',
      ],
    },
    {
      name: 'a name that is none',
      filters: [{ exact: { 'ce-type': 'x' } }],
      faults: ['filters[0].exact.ce-type: ce-type is no name of an attribute: those are of [a-z0-9]'],
    },
    {
      name: 'values that are none',
      filters: [{ prefix: { type: '', subject: 7 } }],
      faults: [
        'filters[0].prefix.type: type must be a text, not empty',
        'filters[0].prefix.subject: subject must be a text, not empty',
      ],
    },
    {
      name: 'other forms',
      filters: [7, { exact: [] }, { all: YES }, { not: [YES] }, { cesql: {} }],
      faults: [
        'filters[0]: a filter is an object such as {exact: {type: …}}',
        'filters[1].exact: it maps names of attributes to texts',
        'filters[2].all: all is a list of filters',
        'filters[3].not: a filter is an object such as {exact: {type: …}}',
        'filters[4].cesql: cesql is a text',
      ],
    },
  ];
  for (const { name, filters, faults } of rows)
    it(`finds ${name}`, () =>
      expect(
        filterFaults(filters as object[], ['filters']).map(({ path, message }) => `${pathText(path)}: ${message}`),
      ).toEqual(faults));
});
