import { type Command, UsageError } from './command.ts';
import { asksCluster, fileOption, ofCluster, readWired, withCluster } from './wire-input.ts';

export const explainCommand: Command = {
  name: 'wire explain',
  argumentNames: 'EVENT.json',
  summary: 'say which Triggers and workflows take an event, and why the others do not',
  options: {
    file: { ...fileOption, help: `${fileOption.help}; Triggers in manifests count, too` },
    cluster: { type: 'boolean', help: 'the Triggers of the cluster instead of the planned ones' },
    output: { type: 'string', value: 'FORM', help: 'text or json (text)' },
    ...ofCluster,
  },
  more: `
EVENT.json is a CloudEvent in JSON, as headwater dump --output json prints it;
- is standard input. Ends with 0 when a Trigger matches or a workflow takes the
event, with 1 when none does, and with 2 when that cannot be told.
`,
  failureCode: 2,
  async run({ values, positionals }, terminal) {
    const { output = 'text' } = values;
    const [event, ...others] = positionals;
    const live = asksCluster(values);
    const problems = [
      output === 'text' || output === 'json' ? '' : '--output must be text or json',
      event !== undefined && others.length === 0 ? '' : 'name one file with a CloudEvent',
    ].filter(Boolean);
    if (event === undefined || problems.length > 0) throw new UsageError(problems);
    const { readEventFile } = await import('./event-file.ts');
    const { explain } = await import('../wire/explain/explain.ts');
    const { mayTake } = await import('../wire/explain/taking.ts');
    const { explanationText } = await import('./wire-text.ts');
    const read = await readEventFile(event);
    const needsFiles = !live || values['file'] !== undefined;
    const { wiring, objects } = needsFiles
      ? await readWired({ values, positionals: [] }, { withManifests: true })
      : { wiring: { sets: [] }, objects: [] };
    const triggers = live ? await withCluster(values, (cluster) => cluster.all(TRIGGER)) : objects;
    const explanation = explain(read, triggers, wiring);
    terminal.out(output === 'json' ? `${JSON.stringify(explanation, undefined, 2)}\n` : explanationText(explanation));
    const isTaken =
      explanation.triggers.some(({ mismatches }) => mismatches.length === 0) ||
      explanation.steps.some(({ isReached, taking }) => isReached && mayTake(taking));
    return isTaken ? 0 : 1;
  },
};

const TRIGGER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger' };
