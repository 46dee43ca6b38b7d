import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Dependencies } from '../../controller/dependencies.ts';
import { keyOf } from '../../controller/objects.ts';

const NAMES = ['a', 'b', 'c'];
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name });
const sources = fc.constantFrom('one', 'two', 'three');
const objects = fc.subarray(NAMES);

it('knows of each object the sources that were made from it when they were last looked at', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sources, objects, objects)), (looks) => {
      const dependencies = new Dependencies();
      const expected = new Map<string, readonly string[]>();
      for (const [source, named, before] of looks) {
        // What was named by a look that did not get so far is forgotten by the next.
        for (const name of [...before, ...named]) dependencies.add(source, keyOf(secret(name)));
        dependencies.retain(source, new Set(named.map((name) => keyOf(secret(name)))));
        expected.set(source, named);
      }
      for (const name of NAMES) {
        const dependents = [...expected].filter(([, named]) => named.includes(name)).map(([source]) => source);
        expect([...dependencies.dependentsOn(secret(name))].toSorted()).toEqual(dependents.toSorted());
      }
      const all = [...expected].filter(([, named]) => named.length > 0).map(([source]) => source);
      const ofKind = dependencies.dependentsOnKind({ apiVersion: 'v1', kind: 'Secret' });
      expect([...ofKind].toSorted()).toEqual(all.toSorted());
      expect([...dependencies.dependentsOnKind({ apiVersion: 'v1', kind: 'Service' })]).toEqual([]);
    }),
  );
});
