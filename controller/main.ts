import { runController } from './run.ts';

process.exit(await runController(process.env, (text) => process.stderr.write(`controller: ${text}\n`)));
