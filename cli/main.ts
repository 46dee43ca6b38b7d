import { runHeadwater } from './headwater.ts';

process.exitCode = await runHeadwater(process.argv.slice(2), {
  env: process.env,
  isTerminal: process.stdout.isTTY,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
