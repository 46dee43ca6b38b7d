import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkWiring } from '../../../wire/check/check-wiring.ts';
import type { RuleName } from '../../../wire/check/finding.ts';
import { readWiring } from '../../../wire/read-wiring.ts';

const folder = join(import.meta.dirname, '../definitions');

/** Why an alarm over definitions written after the specifications' own examples is none that is false. */
const WHY: Readonly<Record<string, Partial<Record<RuleName, string>>>> = {
  'every one': { 'no-producer': 'a definition alone: no wire.yaml says who sends it' },
  '0.8/event-based-service-invocation.yaml': {
    'no-correlation':
      'the vet answers one request, but the event does not say which: two patients would get one appointment',
  },
  '0.8/event-based-transitions.json': {
    'no-correlation': 'the decision on one visa would be taken by every applicant who waits',
  },
  '0.8/process-transactions.yaml': {
    'no-correlation': 'one checked balance would be that of every customer who waits',
  },
  '1.0/listen-to-all.yaml': {
    'no-correlation': 'each patient is watched by an instance, and a measurement names none',
  },
  '1.0/listen-to-any-until-consumed.yaml': {
    'no-correlation': 'each patient is watched by an instance, and neither a measurement nor a check-out names one',
  },
  '1.0/listen-to-any-forever-foreach.yaml': {
    'catch-all': 'any: [] is every event (DSL 1.0, "Event consumption strategy"): the example is about that',
    'no-correlation': 'whoever listens hears all gossip, and takes any answer for its own',
  },
  '1.0/listen-to-one.yaml': { 'no-correlation': 'one race that starts would start every one that waits' },
  '1.0/managing-github-issues.yaml': {
    'no-correlation': 'two open issues: an assignment, comment or closing of one would go to both',
  },
  '1.0/misspelt.yaml': { 'no-correlation': 'written to be misspelt, its correlation among it' },
  '1.0/nested.yaml': { 'no-correlation': 'written to nest as deep as can be, and for nothing else' },
  '1.0/open-workflow.json': { 'no-correlation': 'written to have the new name of the language, and for nothing else' },
};

it('every alarm over the examples of the specifications is explained', async () => {
  const { wiring } = await readWiring([join(folder, '0.8'), join(folder, '1.0')]);
  const lines = checkWiring(wiring).flatMap(({ place, severity, rule, message }) => {
    const file = place.file.slice(folder.length + 1);
    const why = WHY[file]?.[rule] ?? WHY['every one']?.[rule] ?? 'NOT EXPLAINED';
    return [`${file}:${place.line} ${severity} ${rule}: ${message}`, `    ${why}`];
  });
  expect(lines).not.toContain('    NOT EXPLAINED');
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../golden/wire/check-definitions.txt');
});
