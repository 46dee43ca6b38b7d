import type { LiveEventType } from '../wire/check/consumed-rules.ts';
import type { KubeManifest } from '../wire/model.ts';
import { type Command, type Option, UsageError } from './command.ts';
import type { KubeWireCluster } from './wire-cluster.ts';
import { asksCluster, fileOption, ofCluster, readWired, withCluster } from './wire-input.ts';

const live: Option = {
  type: 'boolean',
  help: 'also ask the cluster which types of events there are (its EventTypes)',
};

export const checkCommand: Command = {
  name: 'wire check',
  argumentNames: '[PATH…]',
  summary: 'find what cannot work, before anything runs',
  options: {
    file: fileOption,
    output: { type: 'string', value: 'FORM', help: 'text, or json: a list of findings (text)' },
    strict: { type: 'boolean', help: 'warnings are failures, too' },
    cluster: live,
    ...ofCluster,
  },
  more: `
Each line is FILE:LINE:COLUMN: SEVERITY: what is wrong, and what to change (RULE).
Ends with 0 when there is no error (with --strict: nor a warning), with 1 when
there is one, and with 2 when the files cannot be checked.
docs/workflows.md explains the rules.
`,
  failureCode: 2,
  async run({ values, positionals }, terminal) {
    const { output = 'text' } = values;
    if (output !== 'text' && output !== 'json') throw new UsageError(['--output must be text or json']);
    const { wiring, warnings } = await readWired({ values, positionals }, { checkSchemas: true });
    const { checkWiring } = await import('../wire/check/check-wiring.ts');
    const { findingJson, findingText } = await import('./wire-text.ts');
    const known = asksCluster(values) ? await withCluster(values, eventTypesIn) : [];
    const findings = checkWiring(wiring, known, warnings);
    if (output === 'json') terminal.out(`${JSON.stringify(findings.map(findingJson), undefined, 2)}\n`);
    else terminal.out(findings.map(findingText).join(''));
    const fails = new Set(values['strict'] === true ? ['error', 'warning'] : ['error']);
    return findings.some(({ severity }) => fails.has(severity)) ? 1 : 0;
  },
};

/** v1beta3 of EventType has a list of attributes; before, `type` and `source` were fields. */
const VERSIONS = ['v1beta3', 'v1beta2'];

async function eventTypesIn(cluster: KubeWireCluster): Promise<readonly LiveEventType[]> {
  for (const version of VERSIONS) {
    const kind = { apiVersion: `eventing.knative.dev/${version}`, kind: 'EventType' };
    if (await cluster.knows(kind)) return (await cluster.all(kind)).flatMap(eventTypeOf);
  }
  return [];
}

function eventTypeOf({ spec }: KubeManifest): LiveEventType[] {
  // The API server held it against the kind's schema.
  const { attributes = [], ...fields } = (spec ?? {}) as EventTypeSpec;
  const named = Object.fromEntries(attributes.map(({ name, value }) => [name, value]));
  const { type, source } = { ...fields, ...named };
  return type ? [{ type, source: source || undefined }] : [];
}

interface EventTypeSpec {
  readonly type?: string;
  readonly source?: string;
  readonly attributes?: readonly { readonly name: string; readonly value?: string }[];
}
