import { runAdapter } from './run.ts';

// oxlint-disable-next-line unicorn/prefer-top-level-await -- images run the bundle as a script, which has none
void runAdapter(process.env, (text) => process.stderr.write(`adapter: ${text}\n`)).then((code) => process.exit(code));
