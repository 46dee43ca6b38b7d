import { runController } from './run.ts';

// oxlint-disable-next-line unicorn/prefer-top-level-await -- images run the bundle as a script, which has none
void runController(process.env, (text) => process.stderr.write(`controller: ${text}\n`)).then((code) =>
  process.exit(code),
);
