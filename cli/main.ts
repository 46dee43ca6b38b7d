import { runHeadwater } from './headwater.ts';

/** What a shell reports for a program that SIGPIPE ended; Node ignores that signal. */
const READER_GONE = 141;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(READER_GONE);
});
async function main(): Promise<void> {
  process.exitCode = await runHeadwater(process.argv.slice(2), {
    program: `node ${process.argv[1]}`,
    env: process.env,
    isTerminal: process.stdout.isTTY,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
}

// oxlint-disable-next-line unicorn/prefer-top-level-await -- images run the bundle as a script, which has none
void main();
