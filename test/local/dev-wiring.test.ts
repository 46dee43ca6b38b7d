import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliver, LocalDev } from '../support/local-dev.ts';

let local: LocalDev;
beforeEach(async () => void (local = await LocalDev.open()));
afterEach(() => local.end());

const wiring = (...lines: string[]) => ['name: flows', ...lines].join('\n');
const source = () =>
  `sources: [{ kind: GitHubSource, name: hello, repository: octo/hello, secret: github, spec: { githubAPIURL: "${local.api}" } }]`;
const toDumper = (file: string) => `workflows: [{ file: ${file}, runtime: deployment, service: event-dumper }]`;
const definition = (action: string, rest = 'nothing: { set: { a: 1 } }') =>
  `document: { dsl: 1.0.3, namespace: n, name: flow, version: 0.1.0 }
schedule: { on: { one: { with: { type: dev.knative.source.github.issues, data: '\${ .action == "${action}" }' } } } }
do:
  - ${rest}
`;
const TRIGGER = 'Trigger default/flow-github-issues';

const send = async (action: string) => {
  const url = local.hooks()[0]?.split(' ')[1] ?? '';
  expect((await deliver(url, undefined, { eventType: 'issues', payload: { action } })).status).toBe(202);
};
const received = () =>
  local.lines.flatMap((line) => (line.type === 'event' ? [line.event.attributes['action'] as string] : []));

describe('a wiring file', () => {
  it('stands for what it plans: a delivery goes to the workflow that consumes it, and to no other', async () => {
    await local.write('secret.yaml', local.secret());
    await local.write('flow.yaml', definition('opened'));
    await local.write('wire.yaml', wiring(source(), toDumper('flow.yaml')));
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True');
    await local.becomes('Ready=True', TRIGGER);
    expect(local.github.hooks.map(({ events }) => events)).toEqual([['issues']]);
    await send('closed');
    await send('opened');
    await local.holds(() => expect(received()).toEqual(['opened']));
    expect(local.lines.filter(({ type }) => type === 'problem' || type === 'warning')).toEqual([]);
  });

  it('is read again when a definition that it names changes; a broken one changes nothing', async () => {
    await local.write('secret.yaml', local.secret());
    await local.write('flow.yaml', definition('opened'));
    await local.write('wire.yaml', wiring(source(), toDumper('flow.yaml')));
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True', TRIGGER);
    await local.becomes('Ready=True');
    await local.write('flow.yaml', 'document: {');
    await local.holds(() => expect(local.lines.filter(({ type }) => type === 'problem')).toHaveLength(1));
    await send('opened');
    await local.holds(() => expect(received()).toEqual(['opened']));
    await local.write('flow.yaml', definition('closed'));
    await local.holds(() =>
      expect(local.lines.filter((line) => line.type === 'applied').map(({ file }) => file.split('/').at(-1))).toEqual([
        'flow.yaml',
        'wire.yaml',
      ]),
    );
    await send('opened');
    await send('closed');
    await local.holds(() => expect(received()).toEqual(['opened', 'closed']));
  });

  it('gives a Knative Service K_SINK of the Broker here, in place of what its manifest alone would be', async () => {
    const service = {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'flow', annotations: { 'local.headwater.dev/command': 'echo "sink $K_SINK"; sleep 60' } },
      spec: { template: { spec: { containers: [{ image: 'a' }] } } },
    };
    await local.write('a-service.yaml', service);
    const emit = 'tell: { emit: { event: { with: { source: https://flow, type: told } } } }';
    await local.write('flow.yaml', definition('opened', emit));
    await local.write(
      'wire.yaml',
      wiring('workflows: [{ file: flow.yaml, runtime: knative-service, manifest: a-service.yaml }]'),
    );
    await local.start({ run: { PATH: process.env['PATH'] } });
    const sink = local.url('broker').replace('<namespace>/<name>', 'default/default');
    await local.holds(() =>
      expect(local.lines.filter(({ type }) => type === 'output')).toEqual([
        expect.objectContaining({ text: `sink ${sink}` }),
      ]),
    );
    expect(local.lines.filter(({ type }) => type === 'problem')).toEqual([]);
  });

  it('takes the Broker that a manifest has', async () => {
    const delivery = { retry: 0 };
    await local.write('z-broker.yaml', {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'default' },
      spec: { delivery },
    });
    await local.write('wire.yaml', wiring());
    await local.start();
    await local.becomes('Ready=True', 'Broker default/default');
    expect(local.lines.filter(({ type }) => type === 'problem')).toEqual([]);
  });

  it('says what is wrong with it, with file and line, and what is odd about a definition', async () => {
    await local.write('flow.yaml', 'id: flow\nstates: [{ name: a, type: event, onEvents: [{ eventRefs: [gone] }] }]');
    await local.write('wire.yaml', wiring('sources: [{ kind: GitHubSorce, repository: a/b }]', toDumper('flow.yaml')));
    await local.start();
    const file = `${local.manifests}/wire.yaml`;
    expect(local.lines.filter(({ type }) => type === 'problem')).toEqual([
      { type: 'problem', file, line: 2, message: 'there is no source of kind GitHubSorce; did you mean GitHubSource?' },
    ]);
    expect(local.lines.filter(({ type }) => type === 'warning')).toEqual([
      { type: 'warning', from: `${local.manifests}/flow.yaml:2`, message: 'there is no event definition "gone"' },
    ]);
  });

  it('is missed where a definition stands alone', async () => {
    const warnings = () =>
      local.lines.flatMap((line) => (line.type === 'warning' ? [`${line.from} ${line.message}`] : []));
    await local.write('flow.yaml', definition('opened'));
    await local.start();
    expect(warnings()).toEqual([
      `${local.manifests}/flow.yaml:1 a workflow definition does nothing by itself, and no wiring file is here: write a wire.yaml beside it that names it, and give both`,
    ]);
  });

  it('may send a workflow what the sources of another set bring', async () => {
    await local.write('secret.yaml', local.secret());
    await local.write('sources.wire.yaml', `name: sources\n${source()}`);
    await local.write('flow.yaml', definition('opened'));
    await local.write('wire.yaml', wiring(toDumper('flow.yaml')));
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True');
    await local.becomes('Ready=True', TRIGGER);
    await send('closed');
    await send('opened');
    await local.holds(() => expect(received()).toEqual(['opened']));
  });
});
