import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ExampleRun, exampleFolder } from '../support/example-run.ts';

let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-example-'))));
afterEach(() => rm(cwd, { recursive: true, force: true }));

it('a confirmation resumes the flow, whose new subscriber starts the welcome; nothing else does', async () => {
  const run = ExampleRun.start([exampleFolder('newsletter-subscription')], cwd);
  await run.sees(/^Trigger default\/subscription-flow-confirm-subscription {2}Ready=True$/m);
  await run.sees(/^Trigger default\/welcome-new-subscription {2}Ready=True$/m);
  const confirmation = { type: 'confirm.subscription', kogitoprocrefid: 'instance-1', subject: 'ada@example.com' };
  await run.emit({ ...confirmation, source: '/somewhere/else' });
  await run.sees(/^Broker default\/default: nobody wants confirm\.subscription/m);
  await run.emit({ ...confirmation, source: '/newsletter/confirmation' });
  await run.sees(/^Trigger default\/welcome-new-subscription → \S+ {2}new\.subscription/m);
  await run.end();
  expect(run.output()).toEqual([
    'Deployment default/subscription-flow | confirm.subscription ada@example.com for instance instance-1',
    'Service default/welcome | new.subscription ada@example.com for instance instance-1',
  ]);
}, 60_000);
