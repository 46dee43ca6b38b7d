import { writeFile } from 'node:fs/promises';
import { ConfigurationError } from '../core/errors.ts';
import type { Diagram } from '../wire/graph/diagram.ts';
import type { KubeManifest, Wiring } from '../wire/model.ts';
import { type Command, UsageError } from './command.ts';
import { fileOption, readWired } from './wire-input.ts';

const FORMATS = ['svg', 'mermaid', 'dot'] as const;

export const graphCommand: Command = {
  name: 'graph',
  argumentNames: '[PATH…]',
  summary: 'draw which way events take, or the inside of a workflow',
  options: {
    file: { ...fileOption, help: `${fileOption.help}; manifests count, too` },
    workflow: { type: 'string', value: 'NAME', help: 'draw this workflow: its states or tasks, and their events' },
    format: { type: 'string', value: 'FORMAT', help: `${FORMATS.join(', ')} (svg, or as the name of the file says)` },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to this file (standard output)' },
  },
  more: `
Draws sources, Brokers and Channels, Triggers and Subscriptions, and sinks, with
the workflows among them; of a definition alone, its inside.
`,
  async run({ values, positionals }, terminal) {
    const { output, format = formatOf(values['output']), workflow } = values as Readonly<Record<string, string>>;
    if (!FORMATS.some((known) => known === format)) throw new UsageError([`--format must be ${FORMATS.join(', ')}`]);
    const { wiring, objects } = await readWired({ values, positionals }, { withManifests: true });
    const diagram = await diagramOf(wiring, objects, workflow);
    const text = await drawn(diagram, format);
    if (output === undefined) terminal.out(text);
    else await writeFile(output, text);
    return 0;
  },
};

/** By the ending of a file's name. */
function formatOf(file: unknown): (typeof FORMATS)[number] {
  if (typeof file === 'string' && /\.(mmd|mermaid)$/.test(file)) return 'mermaid';
  return typeof file === 'string' && /\.(dot|gv)$/.test(file) ? 'dot' : 'svg';
}

async function drawn(diagram: Diagram, format: string): Promise<string> {
  if (format === 'mermaid') return (await import('../wire/graph/mermaid.ts')).mermaidOf(diagram);
  if (format === 'dot') return (await import('../wire/graph/dot.ts')).dotOf(diagram);
  return (await import('../wire/graph/svg.ts')).svgOf(diagram);
}

async function diagramOf(
  { sets }: Wiring,
  objects: readonly KubeManifest[],
  name: string | undefined,
): Promise<Diagram> {
  const workflows = sets.flatMap((set) => set.workflows);
  const [only, ...others] = workflows;
  const isAlone = only && others.length === 0 && sets[0]?.name === undefined && objects.length === 0;
  if (name === undefined && !isAlone) {
    const { topologyDiagram } = await import('../wire/graph/topology-diagram.ts');
    const described = sets.filter((set) => set.name !== undefined);
    if (objects.length === 0 && described.length === 0)
      throw new ConfigurationError('graph', [
        `name a workflow (--workflow): ${workflows.map((one) => one.name).join(', ')}`,
      ]);
    return topologyDiagram(described.map((set) => set.name).join(', '), objects, described);
  }
  const { workflowDiagram } = await import('../wire/graph/workflow-diagram.ts');
  const found = name === undefined ? only : workflows.find((one) => one.name === name);
  if (found) return workflowDiagram(found);
  const known = workflows.map((one) => one.name).join(', ') || 'none';
  throw new ConfigurationError('graph', [`there is no workflow ${name}; in the files: ${known}`]);
}
