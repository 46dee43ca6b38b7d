import { ConfigurationError } from '../core/errors.ts';
import { placeOf } from '../core/place-of.ts';
import type { Problem } from '../core/problem.ts';
import type { Plan } from '../wire/plan.ts';
import { listOption, type Option, type Terminal, UsageError, type Values } from './command.ts';
import type { KubeWireCluster } from './wire-cluster.ts';

export const fileOption: Option = {
  type: 'string',
  short: 'f',
  multiple: true,
  value: 'PATH',
  help: 'a wiring file (wire.yaml) or a workflow definition, or a folder of them; may be given more than once',
};
/** Options of commands that ask a cluster. */
export const ofCluster: Readonly<Record<string, Option>> = {
  kubeconfig: { type: 'string', value: 'FILE', help: 'the kubeconfig (as kubectl finds it)' },
  context: { type: 'string', value: 'NAME', help: 'the context in it (the current one)' },
};

/** Whether a command that can do without a cluster is to ask one: `--cluster`, or an option that names one. */
export function asksCluster(values: Values): boolean {
  return values['cluster'] === true || (values['kubeconfig'] ?? values['context']) !== undefined;
}

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

export interface Args {
  readonly values: Values;
  readonly positionals: readonly string[];
}

/**
 * What is in the files, and what it comes to; with manifests, also the objects in them. `checkSchemas`: definitions are
 * held against the schemas of their languages, for warnings; that takes a second.
 * @throws ConfigurationError when the files have problems
 */
export async function readWired(args: Args, { withManifests = false, checkSchemas = false } = {}) {
  const { readWiring } = await import('../wire/read-wiring.ts');
  const { planOf } = await import('../wire/plan.ts');
  const { readManifests } = await import('../wire/read-manifests.ts');
  const paths = pathsOf(args);
  const { wiring, problems, warnings } = await readWiring(paths, { checkSchemas });
  const { manifests, problems: unread } = withManifests ? await readManifests(paths) : { manifests: [], problems: [] };
  refuse([...problems, ...unread]);
  if (wiring.sets.length + manifests.length === 0) {
    const kinds = `neither a wiring file (wire.yaml) nor a workflow definition${withManifests ? ' nor a manifest' : ''}`;
    throw new ConfigurationError('wiring', [`${kinds} is in ${paths.map(placeOf).join(', ')}`]);
  }
  const plan = planOf(wiring);
  const made = plan.sets.flatMap(({ objects }) => objects.map(({ object }) => object));
  return { wiring, warnings, plan, objects: [...manifests, ...made] };
}

/**
 * What the files ask for.
 * @throws ConfigurationError when they have problems
 */
export async function planned(args: Args, terminal: Terminal): Promise<Plan> {
  const { plan, warnings } = await readWired(args);
  for (const warning of warnings) terminal.err(`${problemText(warning)}\n`);
  refuse(plan.problems);
  return plan;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigurationError('wiring', problems.map(problemText));
}

/** What a cluster refuses becomes a ConfigurationError: the user, or an administrator, can change it. */
export async function withCluster<Result>(
  values: Values,
  run: (cluster: KubeWireCluster) => Promise<Result>,
): Promise<Result> {
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
