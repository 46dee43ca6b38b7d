import { ConfigurationError } from '../core/errors.ts';
import { placeOf } from '../core/place-of.ts';
import type { Problem } from '../core/problem.ts';
import type { Plan } from '../wire/plan.ts';
import {
  type Command,
  type CommandGroup,
  listOption,
  type Option,
  type Terminal,
  UsageError,
  type Values,
} from './command.ts';
import type { KubeWireCluster } from './wire-cluster.ts';

const file: Option = {
  type: 'string',
  short: 'f',
  multiple: true,
  value: 'PATH',
  help: 'a wiring file (wire.yaml) or a workflow definition, or a folder of them; may be given more than once',
};
const ofCluster: Readonly<Record<string, Option>> = {
  kubeconfig: { type: 'string', value: 'FILE', help: 'the kubeconfig (as kubectl finds it)' },
  context: { type: 'string', value: 'NAME', help: 'the context in it (the current one)' },
};
const force: Option = { type: 'boolean', help: 'take over fields that others have set' };

const plan: Command = {
  name: 'wire plan',
  argumentNames: '[PATH…]',
  summary: 'print the objects that bring events to workflows, as YAML',
  options: { file },
  more: `
The same files give the same bytes, wherever they are. Comments say what each
object is for, and which filters are left to the runtime.
`,
  async run(args, terminal) {
    const { sets } = await planned(args, terminal);
    const { planText } = await import('../wire/plan-text.ts');
    terminal.out(planText(sets));
    return 0;
  },
};

const diff: Command = {
  name: 'wire diff',
  argumentNames: '[PATH…]',
  summary: 'say what apply and prune would change in the cluster',
  options: { file, ...ofCluster, 'force-conflicts': force },
  more: `
Ends with 0 when nothing would change, with 1 when something would, and with 2
when that cannot be known.
`,
  failureCode: 2,
  async run(args, terminal) {
    const { sets } = await planned(args, terminal);
    const { compareSets } = await import('../wire/apply.ts');
    const { leftoversOf } = await import('../wire/prune.ts');
    const { diffText, removalText } = await import('../wire/diff-text.ts');
    return withCluster(args.values, async (cluster) => {
      const compared = await compareSets(sets, cluster, { force: args.values['force-conflicts'] === true });
      const leftovers = await leftoversOf(sets, cluster);
      const text = [...compared.map(diffText), ...leftovers.map(removalText)].join('');
      terminal.out(text);
      return text === '' ? 0 : 1;
    });
  },
};

const apply: Command = {
  name: 'wire apply',
  argumentNames: '[PATH…]',
  summary: 'make the cluster hold the planned objects',
  options: { file, ...ofCluster, 'force-conflicts': force },
  more: `
Server-side apply with the field manager headwater-wire. Nothing is written when
a kind, a right, a namespace or the Broker is missing, when an object belongs to
somebody else, or when the API server refuses one of them.
`,
  async run(args, terminal) {
    const { sets } = await planned(args, terminal);
    const { applySets } = await import('../wire/apply.ts');
    const { called } = await import('../wire/cluster.ts');
    const { countLeftovers } = await import('../wire/prune.ts');
    return withCluster(args.values, async (cluster) => {
      await applySets(sets, cluster, {
        force: args.values['force-conflicts'] === true,
        onApplied: ({ object, outcome }) => terminal.out(`${called(object)} ${outcome}\n`),
      });
      const left = await countLeftovers(sets, cluster);
      if (left > 0)
        terminal.out(
          `${left === 1 ? '1 object is' : `${left} objects are`} left over: headwater wire prune removes what is not planned\n`,
        );
      return 0;
    });
  },
};

const prune: Command = {
  name: 'wire prune',
  argumentNames: '[PATH…]',
  summary: 'remove what the set has in the cluster and the plan has not',
  options: { file, ...ofCluster, 'dry-run': { type: 'boolean', help: 'only say what would be removed' } },
  more: `
Removes the objects with the label wire.headwater.dev/set of the set, of all
namespaces, that are not planned: with a wiring file that holds nothing but its
name, all of them. Nothing is removed when one of them may not be.
`,
  async run(args, terminal) {
    const { sets } = await planned(args, terminal);
    const { leftoversOf, removeAll } = await import('../wire/prune.ts');
    const { called, nameOf } = await import('../wire/cluster.ts');
    const isDryRun = args.values['dry-run'] === true;
    const say = (object: Parameters<typeof nameOf>[0]) =>
      terminal.out(`${called(nameOf(object))} ${isDryRun ? 'would be removed' : 'removed'}\n`);
    return withCluster(args.values, async (cluster) => {
      const leftovers = await leftoversOf(sets, cluster);
      if (isDryRun) leftovers.forEach(say);
      else await removeAll(leftovers, cluster, say);
      return 0;
    });
  },
};

export const wireCommands: CommandGroup = {
  name: 'wire',
  summary: 'bring events to workflows: from their definitions to sources, triggers and bindings',
  commands: [plan, diff, apply, prune],
};

/** @throws UsageError */
export function pathsOf({ values, positionals }: Args): readonly string[] {
  const paths = [...listOption(values['file']), ...positionals];
  if (paths.length === 0) throw new UsageError(['name a wiring file: -f PATH']);
  return paths;
}

/** `shop/wire.yaml:5: what to change` */
export function problemText({ file: path, line, message }: Problem): string {
  return `${placeOf(path)}${line === 0 ? '' : `:${line}`}: ${message}`;
}

interface Args {
  readonly values: Values;
  readonly positionals: readonly string[];
}

/**
 * What the files ask for.
 * @throws ConfigurationError when they have problems
 */
async function planned(args: Args, terminal: Terminal): Promise<Plan> {
  const { readWiring } = await import('../wire/read-wiring.ts');
  const { planOf } = await import('../wire/plan.ts');
  const { wiring, problems, warnings } = await readWiring(pathsOf(args));
  for (const warning of warnings) terminal.err(`${problemText(warning)}\n`);
  const whole = planOf(wiring);
  const all = problems.length > 0 ? problems : whole.problems;
  if (all.length > 0) throw new ConfigurationError('wiring', all.map(problemText));
  return whole;
}

/** What a cluster refuses becomes a ConfigurationError: the user, or an administrator, can change it. */
async function withCluster(values: Values, run: (cluster: KubeWireCluster) => Promise<number>): Promise<number> {
  const { openCluster } = await import('./wire-cluster.ts');
  const { RefusedPlan } = await import('../wire/apply.ts');
  const { ApiStatusError } = await import('../core/list-watch.ts');
  const { WriteRefused } = await import('../wire/cluster.ts');
  const { kubeconfig, context } = values as Readonly<Record<string, string | undefined>>;
  const cluster = openCluster({ file: kubeconfig, context });
  try {
    return await run(cluster);
  } catch (error) {
    if (error instanceof RefusedPlan) throw new ConfigurationError('plan', error.problems, { cause: error });
    if (error instanceof ApiStatusError || error instanceof WriteRefused)
      throw new ConfigurationError('cluster', [error.message], { cause: error });
    throw error;
  } finally {
    await cluster.close();
  }
}
