import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Env } from '../core/env.ts';
import { codeOf, messageOf } from '../core/errors.ts';

export interface CommandOptions {
  /** For `sh`. */
  readonly command: string;
  /** The folder it runs in. */
  readonly folder: string;
  readonly env: Env;
  readonly onLine: (line: string) => void;
}

export interface CommandProcess {
  /** Resolves to how it ended, such as `exited with 1`, when nothing of it runs any more. Never rejects. */
  readonly ended: Promise<string>;
  /** Asks the command and all it started to end, and ends what is there after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * The command leads a process group of its own. A watcher in it waits for the end of file descriptor 3, whose other end
 * is held here, and then ends the group: so nothing is left of it, also when this process is killed. `$0` is the command.
 */
const WATCHED = [
  `{ trap '' TERM INT HUP; while read -r _; do :; done <&3; kill -KILL 0; } >/dev/null 2>&1 &`,
  'exec sh -c "$0" 3<&-',
].join('\n');

const LONGEST_LINE = 64 * 1024;

export function startCommand({ command, folder, env, onLine }: CommandOptions): CommandProcess {
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn('sh', ['-c', WATCHED, command], { cwd: folder, env, detached: true, stdio: [...stdio] });
  for (const stream of [child.stdout, child.stderr]) if (stream) sayLines(stream, onLine);
  child.once('exit', () => (child.stdio[3] as Readable).destroy());
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot be started in ${folder}: ${codeOf(error) ?? messageOf(error)}`));
    child.once('close', (code, signal) => resolve(signal === null ? `exited with ${code}` : `was ended by ${signal}`));
  });
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // There is no such group any more.
    }
  };
  return {
    ended,
    stop: async (graceMs) => {
      signalGroup('SIGTERM');
      const over = new AbortController();
      const late = sleep(graceMs, undefined, { signal: over.signal }).then(
        () => signalGroup('SIGKILL'),
        () => undefined,
      );
      await ended;
      over.abort();
      await late;
    },
  };
}

/** What has no end of line is said in pieces. */
function sayLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length <= LONGEST_LINE) return;
    onLine(rest);
    rest = '';
  });
  stream.on('end', () => rest !== '' && onLine(rest));
}
