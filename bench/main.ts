import { ConfigurationError, messageOf } from '../core/errors.ts';
import { runBench } from './bench.ts';
import { readOptions } from './options.ts';

try {
  const options = readOptions(process.argv.slice(2));
  const problems = await runBench(options, process.env['PATH'] ?? '', (text) => process.stdout.write(text));
  for (const problem of problems) process.stderr.write(`bench: ${problem}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
} catch (error) {
  const texts = error instanceof ConfigurationError ? error.problems : [messageOf(error)];
  for (const text of texts) process.stderr.write(`bench: ${text}\n`);
  process.exit(1);
}
