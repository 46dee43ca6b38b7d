import { placeOf } from '../core/place-of.ts';
import type { Place } from '../core/problem.ts';
import { printable } from '../dump/format.ts';
import type { Finding } from '../wire/check/finding.ts';
import type { Explanation } from '../wire/explain/explain.ts';
import { type ChosenInstance, mayTake } from '../wire/explain/taking.ts';

/** `shop/checker.yaml:6:15: error: nobody here produces … (no-producer)` */
export function findingText({ place, severity, message, rule }: Finding): string {
  return `${whereText(place)}: ${severity}: ${printable(message)} (${rule})\n`;
}

/** A finding as one of a list in JSON: its place is as in the text. */
export function findingJson({ place, ...rest }: Finding): object {
  return { file: placeOf(place.file), line: place.line, column: place.column, ...rest };
}

function whereText({ file, line, column }: Place): string {
  return `${placeOf(file)}:${line}:${column}`;
}

/** What becomes of an event, for people; the reasons are indented below what they are for. */
export function explanationText({ triggers, steps }: Explanation): string {
  const lines = [
    ...triggers.flatMap(({ name, namespace, broker, subscriber, mismatches }) => {
      const isWanted = mismatches.length === 0;
      const verdict = isWanted ? `matches; it goes to ${subscriber ?? 'nobody'}` : 'does not match';
      return [`Trigger ${namespace}/${name} of Broker ${broker}: ${verdict}`, ...mismatches.map(mismatchText)];
    }),
    ...steps.flatMap(({ workflow, step, place, role, isReached, taking }) => {
      const { mismatches, undecided, instances } = taking;
      const where = `workflow ${workflow}, ${step} (${placeOf(place.file)}:${place.line})`;
      if (!mayTake(taking))
        return [`${where}: does not take it`, ...mismatches.map(mismatchText), ...instances.flatMap(lackText)];
      const does = role === 'start' ? 'starts a new instance' : 'goes on with an instance that waits';
      return [
        `${where}: ${isReached ? does : 'would take it, but no Trigger brings it'}`,
        ...instances.map(({ by, value }) => `  the instance: that whose ${by} is ${JSON.stringify(value)}`),
        ...undecided.map((expression) => `  if the runtime says so: ${expression.replace(/\s+/g, ' ')}`),
      ];
    }),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function lackText({ by, value }: ChosenInstance): string[] {
  return value === undefined ? [`  no instance is found: it carries no ${by}`] : [];
}

function mismatchText({
  name,
  wanted,
  found,
  isAlternative,
}: Explanation['triggers'][number]['mismatches'][number]): string {
  if (name === 'cesql') return `  the expression ${wanted} is not evaluated here`;
  const has = found === undefined ? `there is no ${name}` : `${name} is ${JSON.stringify(found)}`;
  return `  ${has}, and ${isAlternative ? 'one choice is' : 'asked for is'} ${JSON.stringify(wanted)}`;
}
