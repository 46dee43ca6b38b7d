import { nextSignal } from '../core/process.ts';
import { jsonLine, pretty, printable } from './format.ts';
import { startDumper } from './server.ts';

export interface DumpOptions {
  readonly port: number;
  readonly host: string;
  readonly output: 'pretty' | 'json';
  readonly full: boolean;
  readonly colour: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Lines of data that say what an event is about. */
export const FIRST_LINES = 8;

/** The dumper as a process; what is not an event goes to standard error. Resolves to the exit code. */
export async function runDump(options: DumpOptions): Promise<number> {
  const { host, port, out, err, colour } = options;
  const dataLines = options.full ? undefined : FIRST_LINES;
  const onRefused = (reason: string) => err(`refused, not a CloudEvent: ${printable(reason)}\n`);
  const dumper = await startDumper({ host, port, onRefused }, (event) =>
    out(options.output === 'json' ? `${jsonLine(event)}\n` : `${pretty(event, { dataLines, colour })}\n`),
  );
  err(`headwater dump: waiting for CloudEvents at ${urlOf(host, dumper.port)}\n`);
  await nextSignal();
  await dumper.stop();
  return 0;
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}
