import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Problem } from '../../core/problem.ts';
import type { ConsumedEvent, EmittedEvent, Step, WiredWorkflow } from '../../wire/model.ts';
import { readWiring } from '../../wire/read-wiring.ts';

/**
 * The definitions were written after the specifications' own examples: the SDK ships none. The golden files say of each
 * what it consumes and emits; read their diff.
 */
const folder = join(import.meta.dirname, 'definitions');
const file = (path: string) => relative(process.cwd(), path);

const placeOf = ({ step, via, path, place }: Step) => `${place.line}:${place.column} ${via} of ${step} (${path})`;
const consumed = ({ role, group, reference, attributes, payload, correlations, ...step }: ConsumedEvent) => ({
  at: placeOf(step),
  role: `${role}, ${group.mode} of ${group.path}`,
  ...(reference !== undefined && { reference }),
  attributes: attributes.map(({ place, ...test }) => ({ ...test, line: place.line })),
  ...(payload.length > 0 && { payload: payload.map(({ place, ...filter }) => ({ ...filter, line: place.line })) }),
  ...(correlations.length > 0 && {
    correlations: correlations.map(({ place, ...rule }) => ({ ...rule, line: place.line })),
  }),
});
const emitted = ({ reference, type, source, attributes, ...step }: EmittedEvent) => ({
  at: placeOf(step),
  ...(reference !== undefined && { reference }),
  type: type ?? null,
  source: source ?? null,
  ...(Object.keys(attributes).length > 0 && {
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value ?? null])),
  }),
});
const told = (workflow: WiredWorkflow) => ({
  workflow: [workflow.namespace, workflow.name, workflow.version].filter(Boolean).join(' '),
  consumes: workflow.consumes.map(consumed),
  emits: workflow.emits.map(emitted),
});
const sentences = (problems: readonly Problem[]) => problems.map(({ line, message }) => `${line}: ${message}`);

describe.each(['0.8', '1.0'])('definitions of %s', (language) => {
  it('are read as the golden file has it', async () => {
    const path = join(folder, language);
    const files = (await readdir(path)).filter((name) => /\.(json|yaml)$/.test(name)).toSorted();
    const all: Record<string, unknown> = {};
    for (const name of files) {
      const { wiring, problems, warnings } = await readWiring([join(path, name)], { checkSchemas: true });
      const workflows = wiring.sets.flatMap((set) => set.workflows);
      expect(workflows.map((one) => [one.language, file(one.place.file)])).toEqual([
        [language, file(join(path, name))],
      ]);
      all[name] = { ...workflows.map(told)[0], problems: sentences(problems), warnings: sentences(warnings) };
    }
    expect(files.length).toBeGreaterThan(10);
    const text = stringify(all, { aliasDuplicateObjects: false, lineWidth: 0 });
    await expect(text).toMatchFileSnapshot(`../golden/wire/definitions-${language}.yaml`);
  });
});
