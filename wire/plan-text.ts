import { stringify } from 'yaml';
import type { PlannedSet } from './plan.ts';

/** Objects as manifests, byte for byte the same for the same files; comments say what each is for. */
export function planText(sets: readonly PlannedSet[]): string {
  const documents = sets.flatMap(({ objects }) => objects);
  return documents
    .map(({ object, because }) => `${because.map((line) => `# ${line}\n`).join('')}${yamlOf(object)}`)
    .join('---\n');
}

/** Without anchors, which kubectl takes but people stumble over; texts such as `y` and `on`, which it reads as booleans, in quotes. */
export function yamlOf(object: object): string {
  return stringify(object, { aliasDuplicateObjects: false, lineWidth: 120, compat: 'yaml-1.1' });
}
