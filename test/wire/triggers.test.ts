import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWanted } from '../../core/trigger-filter.ts';
import { type Condition, type Conjunction, holds, implies, mayOverlap, triggerFilters } from '../../wire/conditions.ts';
import type { ConsumedEvent, WiredWorkflow, WireSet } from '../../wire/model.ts';
import { triggersOf } from '../../wire/triggers.ts';

type Attributes = Readonly<Record<string, string>>;

const names = ['type', 'source', 'action'];
const value = fc.constantFrom('a', 'ab', 'b', 'ba', 'abc');
const attributes: fc.Arbitrary<Attributes> = fc.record(
  { type: value, source: value, action: value },
  { requiredKeys: [] },
);
const condition: fc.Arbitrary<Condition> = fc.record({
  name: fc.constantFrom(...names),
  test: fc.constantFrom('exact', 'prefix', 'suffix'),
  values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
  origin: fc.constant('definition' as const),
});
const conjunction = fc.uniqueArray(condition, { selector: ({ name }) => name, maxLength: 3 });

const meets = (event: Attributes, all: Conjunction) =>
  all.every((one) => event[one.name] !== undefined && holds(one, event[one.name] ?? ''));

describe('conditions', () => {
  it('imply and overlap only where that is so for every event', () => {
    fc.assert(
      fc.property(conjunction, conjunction, attributes, (a, b, event) => {
        const [inA, inB] = [meets(event, a), meets(event, b)];
        expect((implies(a, b) && inA && !inB) || (!mayOverlap(a, b) && inA && inB)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('become filters by which a Trigger takes what meets any alternative', () => {
    fc.assert(
      fc.property(fc.array(conjunction, { minLength: 1, maxLength: 3 }), attributes, (alternatives, event) => {
        // One without conditions implies nothing else, and is alone.
        fc.pre(
          alternatives.length === 1 ||
            alternatives.every((one) => !alternatives.some((other) => one !== other && implies(one, other))),
        );
        const wanted = isWanted(event, { filters: triggerFilters(alternatives) });
        expect(wanted).toBe(alternatives.some((one) => meets(event, one)));
      }),
      { numRuns: 5000 },
    );
  });
});

const place = { file: 'a.yaml', line: 1, column: 1 };

function aWorkflow(name: string, consumed: readonly Conjunction[], uri: string): WiredWorkflow {
  const consumes = consumed.map(
    (conditions): ConsumedEvent => ({
      role: 'start',
      step: 'on',
      via: 'schedule',
      path: '',
      place,
      group: { mode: 'any', path: '' },
      reference: undefined,
      attributes: conditions.flatMap(({ name: attribute, test, values: [text = ''] }) => [
        { name: attribute, test, value: text, place },
      ]),
      payload: [],
      correlations: [],
    }),
  );
  const runtime = { kind: 'uri', uri } as const;
  const rest = { language: '1.0', namespace: undefined, version: undefined, definition: {}, emits: [] } as const;
  return { name, place, runsAt: place, config: undefined, runtime, consumes, ...rest };
}

function aSet(workflows: readonly WiredWorkflow[]): WireSet {
  const broker = { name: 'default', namespace: 'default', create: false, class: '', url: undefined, place };
  return {
    name: 's',
    namespace: 'default',
    place,
    config: { name: 's' },
    broker,
    sources: [],
    external: [],
    workflows,
  };
}

const consumed = fc.array(conjunction, { maxLength: 4 });

it('take every event a subscriber consumes, and none twice', () => {
  fc.assert(
    fc.property(consumed, consumed, consumed, attributes, (a, b, c, event) => {
      const set = aSet([
        aWorkflow('a', a, 'http://one/'),
        aWorkflow('b', b, 'http://one/'),
        aWorkflow('c', c, 'http://two/'),
      ]);
      const triggers = triggersOf(set, [set]);
      const sent = (uri: string) =>
        triggers.filter(
          ({ workflow: { runtime }, filters }) =>
            runtime?.kind === 'uri' && runtime.uri === uri && isWanted(event, { filters }),
        ).length;
      const first = ({ values, ...rest }: Condition) => ({ ...rest, values: values.slice(0, 1) });
      const wants = (all: readonly Conjunction[]) => (all.some((one) => meets(event, one.map(first))) ? 1 : 0);
      expect([sent('http://one/'), sent('http://two/')]).toEqual([wants([...a, ...b]), wants(c)]);
      expect(new Set(triggers.map(({ name }) => name)).size).toBe(triggers.length);
    }),
    { numRuns: 3000 },
  );
});
