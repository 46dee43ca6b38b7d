import { ConfigurationError, messageOf } from '../../core/errors.ts';
import { describeProcessors } from '../machine.ts';
import type { Row } from './figures.ts';
import { readControllerBenchOptions } from './options.ts';
import { limitedRound, unlimitedRound } from './rounds.ts';

const say = (text: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
const print = (title: string, rows: readonly Row[]) =>
  process.stdout.write(`\n${title}\n\n| | |\n|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}`);

try {
  const options = readControllerBenchOptions(process.argv.slice(2));
  process.stdout.write(`${describeProcessors(new Date())}\n`);
  if (options.limited > 0)
    print("With GitHub's limits in force, on an hour of a minute", await limitedRound(options, say));
  if (options.sources > 0) print('Without limits', await unlimitedRound(options, say));
  process.exit(0);
} catch (error) {
  const texts = error instanceof ConfigurationError ? error.problems : [messageOf(error)];
  for (const text of texts) process.stderr.write(`bench: ${text}\n`);
  process.exit(1);
}
