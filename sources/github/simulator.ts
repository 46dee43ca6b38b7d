import { createHmac, randomUUID } from 'node:crypto';
import examples from '@octokit/webhooks-examples' with { type: 'json' };
import type { BodyForm, JsonObject, RecordedEvent, SignedDelivery, SimulatedWebhook, Simulator } from '../contract.ts';
import { at } from './payload.ts';
import { SimulatedGitHub, type SimulatedHook } from './simulated-api.ts';

// The package's types describe each payload; as recorded deliveries they are any JSON object.
const definitions = examples as unknown as readonly { name: string; examples: readonly JsonObject[] }[];

const recordedEvents: readonly RecordedEvent[] = definitions.flatMap(({ name, examples: payloads }) =>
  payloads.map((payload) => {
    const action = at(payload, ['action']);
    return { eventType: name, action: action === undefined ? undefined : String(action), payload };
  }),
);

/** One JSON document in ways GitHub could write it; all but `compact` change when parsed and written again. */
const written: Readonly<Record<Exclude<BodyForm, 'form'>, (payload: JsonObject) => string>> = {
  compact: (payload) => JSON.stringify(payload),
  indented: (payload) => `${JSON.stringify(payload, null, 2)}\n`,
  escaped: (payload) =>
    JSON.stringify(payload)
      .replaceAll('/', '\\/')
      .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
};

function deliver(event: Parameters<Simulator['deliver']>[0], secret: string): SignedDelivery {
  const { eventType, payload, form = 'compact', id = randomUUID(), hookId = '292430182' } = event;
  const data = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(written[form === 'form' ? 'compact' : form](payload), 'utf8');
  const body = form === 'form' ? Buffer.from(`payload=${formEncoded(data)}`, 'latin1') : data;
  const headers = {
    Accept: '*/*',
    'Content-Type': form === 'form' ? 'application/x-www-form-urlencoded' : 'application/json',
    'User-Agent': 'GitHub-Hookshot/044aadd',
    'X-GitHub-Delivery': id,
    'X-GitHub-Event': eventType,
    'X-GitHub-Hook-ID': hookId,
    'X-GitHub-Hook-Installation-Target-ID': '79929171',
    'X-GitHub-Hook-Installation-Target-Type': 'repository',
    'X-Hub-Signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`,
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return { id, headers, body, data };
}

/** Byte by byte: the document may hold what is not UTF-8. */
function formEncoded(data: Buffer): string {
  return data
    .toString('latin1')
    .replace(/[^A-Za-z0-9*._-]/g, (byte) =>
      byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

function simulatedWebhook({ id, events, config }: SimulatedHook): SimulatedWebhook {
  const form = config.content_type === 'json' ? 'compact' : 'form';
  return { id: String(id), url: config.url, eventTypes: events, secret: config.secret, form };
}

/** The recorded ping, as if it were this webhook's. */
function pingOf({ id, url, eventTypes }: SimulatedWebhook): { eventType: string; payload: JsonObject } {
  const { hook, ...recorded } = recordedEvents.find(({ eventType }) => eventType === 'ping')?.payload ?? {};
  const { config, ...rest } = hook as { config: JsonObject };
  const own = { ...rest, id: Number(id), events: eventTypes, config: { ...config, url } };
  return { eventType: 'ping', payload: { ...recorded, hook_id: Number(id), hook: own } };
}

export const simulator: Simulator = {
  recordedEvents,
  exampleEvents: ['push', 'issues', 'issue_comment', 'pull_request', 'workflow_run'],
  pingOf,
  deliver,
  async startApi({ port, fault, onPing }) {
    const api = new SimulatedGitHub({ onPing: (hook) => onPing(simulatedWebhook(hook)) });
    if (fault) api.refuse(fault.status, new RegExp(`^${fault.method} `, 'i'));
    return { url: await api.start(port), stop: () => api.stop() };
  },
};
