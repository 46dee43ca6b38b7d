import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ExampleRun, exampleFolder } from '../support/example-run.ts';

let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-example-'))));
afterEach(() => rm(cwd, { recursive: true, force: true }));

it('a pull request starts the checker alone, and what that emits comes to the notification alone', async () => {
  const run = ExampleRun.start([exampleFolder('github-showcase')], cwd);
  await run.sees(/^→ pull_request .* 202 kept$/m);
  await run.sees(/^Trigger default\/notification-backend-changed → /m);
  await run.sees(/^Trigger default\/notification-pr-verified → /m);
  await run.end();
  expect(run.output().toSorted()).toEqual([
    'Deployment default/pr-checker | dev.knative.source.github.pull_request 2',
    'Service default/notification | backend_changed 2',
    'Service default/notification | pr_verified 2',
  ]);
}, 60_000);
