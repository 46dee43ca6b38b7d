import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import type { Tools } from './tools.ts';

/** What the figures were taken on and when; without it they mean nothing later. */
export function describeMachine(tools: Tools, now: Date): string {
  return [describeProcessors(now), `${versionOf(tools.nginx, '-v')}, ${versionOf(tools.wrk, '-v')}`].join('\n');
}

export function describeProcessors(now: Date): string {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} processors, Linux ${release()}`,
    `Node ${process.version}, ${now.toISOString().slice(0, 16)}Z, load average before the start ${load.toFixed(2)}`,
  ].join('\n');
}

/** wrk and nginx print theirs on standard output or on standard error, and wrk then exits with 1. */
function versionOf(command: string, flag: string): string {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8', timeout: 5000 });
  const words = `${stdout}${stderr}`.split('\n')[0] ?? '';
  return words
    .replace('nginx version: ', '')
    .replace(/ \[.*$/, '')
    .trim();
}
