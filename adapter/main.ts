import { runAdapter } from './run.ts';

process.exit(await runAdapter(process.env, (text) => process.stderr.write(`adapter: ${text}\n`)));
