import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';

const RULES = join(import.meta.dirname, '../../../config/monitoring/rules.yaml');

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Of the PrometheusRule in config/monitoring. */
export async function rulesOfInstall(): Promise<{ groups: readonly { rules: readonly Rule[] }[] }> {
  const { spec } = parse(await readFile(RULES, 'utf8')) as { spec: { groups: { rules: Rule[] }[] } };
  return spec;
}

/** Resolves to what it prints, and rejects with that where it is not satisfied. */
export async function promtool(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('promtool', args, { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 'ENOENT') throw new Error('promtool is missing: apt-get install prometheus', { cause: error });
    throw new Error(stdout + stderr, { cause: error });
  }
}

/** With these files in a folder, where it may find them; their content is written as YAML. */
export async function promtoolOn(files: Readonly<Record<string, object>>, ...args: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-promtool-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), stringify(content));
    return await promtool(...args.map((arg) => (arg in files ? join(folder, arg) : arg)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What `promtool check metrics` finds fault with, in what a process exposes; empty: nothing. */
export async function faultsOfMetrics(text: string): Promise<string> {
  const child = spawn('promtool', ['check', 'metrics']);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => void (said += chunk));
  const ended = new Promise<void>((resolve, reject) => child.on('close', () => resolve()).on('error', reject));
  child.stdin.end(text);
  await ended;
  return said;
}
