import { didYouMean } from '../core/closest.ts';
import type { Path } from '../core/schema.ts';
import { entriesOf, isObject, type Located, listOf, type Oddity, oddityAt, textOf } from './definition-text.ts';

/** 0.8, "Workflow states". */
const TYPES = ['callback', 'event', 'foreach', 'inject', 'operation', 'parallel', 'sleep', 'switch'];

/**
 * What is odd about the states of a 0.8 definition. Not its whole schema: that calls most definitions invalid that runtimes
 * take (no `specVersion`, consumed events without a source).
 */
export function oddStates({ content, placeOf }: Located): readonly Oddity[] {
  const warnings: Oddity[] = [];
  const states = listOf(content['states']).map((state, index) => ({ state, path: ['states', index] as Path }));
  const names = states.flatMap(({ state }) => textOf(isObject(state) && state['name']) ?? []);
  const { start } = content;
  const warn = (path: Path, message: string, isDangling = false) =>
    void warnings.push(oddityAt(placeOf(path), message, isDangling));
  const expectState = (name: unknown, path: Path) => {
    const text = textOf(name);
    if (text !== undefined && !names.includes(text))
      warn(path, `there is no state "${text}"${didYouMean(text, names)}`, true);
  };
  if (states.length === 0) warn(['states'], 'it has no states');
  expectState(isObject(start) ? start['stateName'] : start, ['start']);
  for (const { state, path } of states) {
    const type = isObject(state) ? String(state['type']) : '';
    if (!TYPES.includes(type)) warn([...path, 'type'], `"${type}" is no type of states${didYouMean(type, TYPES)}`);
    eachTransition(state, path, expectState);
  }
  return warnings;
}

/** Calls `onState` with the name of each state that one leads to. */
function eachTransition(value: unknown, path: Path, onState: (name: unknown, path: Path) => void): void {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) eachTransition(item, [...path, index], onState);
  for (const [name, member] of entriesOf(value)) {
    const at = [...path, name];
    if (name === 'transition' || name === 'compensatedBy') onState(isObject(member) ? member['nextState'] : member, at);
    else if (name !== 'data' && name !== 'metadata') eachTransition(member, at, onState);
  }
}
