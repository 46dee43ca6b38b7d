import type { Command, CommandGroup, Option } from './command.ts';
import { checkCommand } from './wire-check.ts';
import { explainCommand } from './wire-explain.ts';
import { fileOption, ofCluster, planned, withCluster } from './wire-input.ts';

const force: Option = { type: 'boolean', help: 'take over fields that others have set' };

const plan: Command = {
  name: 'wire plan',
  argumentNames: '[PATH…]',
  summary: 'print the objects that bring events to workflows, as YAML',
  options: { file: fileOption },
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
  options: { file: fileOption, ...ofCluster, 'force-conflicts': force },
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
  options: { file: fileOption, ...ofCluster, 'force-conflicts': force },
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
  options: { file: fileOption, ...ofCluster, 'dry-run': { type: 'boolean', help: 'only say what would be removed' } },
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
  commands: [checkCommand, plan, diff, apply, prune, explainCommand],
};
