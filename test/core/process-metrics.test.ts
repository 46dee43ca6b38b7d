import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const file = JSON.stringify(join(import.meta.dirname, '../../core/process-metrics.ts'));
/** How often a process that does nothing else is woken in a second. */
const script = `
  const { Registry } = await import('prom-client');
  const { collectProcessMetrics } = await import(${file});
  const register = new Registry();
  collectProcessMetrics(register);
  const wakings = () => process.resourceUsage().voluntaryContextSwitches;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = wakings();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const woken = wakings() - before;
  console.log(JSON.stringify({ woken, text: await register.metrics() }));
`;

it('tells of the event loop without waking the process all the time', async () => {
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../..') });
  const { woken, text } = JSON.parse(stdout) as { woken: number; text: string };
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
  expect(woken).toBeLessThan(50);
});
