import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Claim, DesiredHook, HookAccess } from '../../../sources/contract.ts';
import { type Exchange, SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import description from '../../golden/github-hooks-api.json' with { type: 'json' };
import { egress } from '../../support/egress.ts';

/** What GitHub's OpenAPI description says; "scripts/extract-hooks-api.ts" takes it from there. */
const operations = description.operations as unknown as readonly {
  method: string;
  path: string;
  request: object | null;
  responses: Readonly<Record<string, object | null>>;
}[];

const ajv = new Ajv({ strict: false });
formats.default(ajv);

function operationOf({ method, path }: Exchange) {
  const bare = path.split('?')[0] ?? '';
  return operations.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare),
  );
}

/** Why the exchange is not as described; empty where it is. */
function faultsOf(exchange: Exchange): string[] {
  const operation = operationOf(exchange);
  if (!operation) return [`${exchange.method} ${exchange.path} is not described`];
  const faults: string[] = [];
  const isAccepted = exchange.status < 300;
  if (isAccepted && operation.request && !ajv.validate(operation.request, exchange.request))
    faults.push(`request ${ajv.errorsText()}`);
  // RFC 9110, 15.4.5: what it answers had no need to be described.
  const described = exchange.status === 304 ? null : operation.responses[String(exchange.status)];
  // Of refusals that any operation may give, the description has the same schema in few places.
  const anywhere = operations.find(({ responses }) => responses[String(exchange.status)])?.responses[exchange.status];
  const schema = described === undefined ? (anywhere ?? basicError) : described;
  if (schema === null) {
    if (exchange.response !== undefined) faults.push('a body where none is described');
  } else if (!ajv.validate(schema, exchange.response)) faults.push(`response ${ajv.errorsText()}`);
  return faults.map((fault) => `${exchange.method} ${exchange.path} ${exchange.status}: ${fault}`);
}

const basicError = operations.find(({ responses }) => responses['404'])?.responses['404'] ?? {};
const isOurs: Claim = ({ url }) => url.endsWith('/hooks/1');
const webhook = webhookApi(egress(), () => new Date());
const exchanges: Exchange[] = [];
const github = new SimulatedGitHub({ onExchange: (exchange) => void exchanges.push(exchange) });
let api: string;
beforeAll(async () => void (api = await github.start()));
afterAll(() => github.stop());

describe("calls and the simulator's answers are as GitHub describes them", () => {
  const desired: DesiredHook = {
    url: 'https://hooks.example.com/hooks/1',
    eventTypes: ['push', 'star'],
    secret: 's3cret',
  };

  for (const repository of ['octo/hello', 'octo']) {
    it(`for webhooks of ${repository}`, async () => {
      const access: HookAccess = { api, repository, token: 'token' };
      const base = `${api}${repository.includes('/') ? '/repos' : '/orgs'}/${repository}/hooks`;
      const direct = (path: string, init: RequestInit = {}, token = 'token') =>
        fetch(base + path, {
          ...init,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        });
      exchanges.length = 0;
      const { id } = await webhook.create(access, desired, isOurs);
      await webhook.create(access, desired, isOurs);
      await webhook.observe(access, isOurs);
      await webhook.observe(access, isOurs);
      await webhook.update(access, id, { ...desired, eventTypes: ['*'] });
      await direct(`/${id}`);
      await direct(`/${id}/pings`, { method: 'POST', body: '{}' });
      await webhook.remove(access, id);
      await direct(`/${id}`);
      for (const url of ['https://one.example.com', 'https://two.example.com']) {
        await webhook.create(access, { ...desired, url }, isOurs);
      }
      await direct(`/${Number(id) + 1}`, {
        method: 'PATCH',
        body: JSON.stringify({ config: { url: 'https://two.example.com' } }),
      });
      await direct('', { method: 'POST', body: JSON.stringify({ name: 'web', config: { content_type: 'json' } }) });
      for (const status of [401, 403, 404, 422, 500]) {
        github.refuse(status);
        await direct('');
      }
      github.refuse(undefined);
      await direct('', {}, 'expired');
      expect(exchanges.map(({ method, status }) => `${method} ${status}`).join(', ')).toBe(
        'POST 201, POST 422, GET 200, PATCH 200, GET 200, GET 304, PATCH 200, GET 200, POST 204, DELETE 204, GET 404, POST 201, POST 201, PATCH 422, POST 422, GET 401, GET 403, GET 404, GET 422, GET 500, GET 401',
      );
      expect(exchanges.flatMap(faultsOf)).toEqual([]);
    });
  }

  it('which a check like this can tell', () => {
    const path = '/repos/octo/hello/hooks';
    const wrong = [
      { method: 'POST', path, request: { name: 'web', url: 'https://x' }, status: 201, response: {} },
      { method: 'DELETE', path: `${path}/1`, request: undefined, status: 204, response: {} },
      { method: 'GET', path: '/repos/octo/hello/hook', request: undefined, status: 200, response: [] },
      { method: 'GET', path, request: undefined, status: 401, response: { message: 401 } },
    ];
    expect(wrong.map((exchange) => faultsOf(exchange).length)).toEqual([2, 1, 1, 1]);
  });
});
