import assert from 'node:assert/strict';
import { expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../core/address-guard.ts';
import { startEventing } from '../../local/eventing.ts';
import { BROKER, TRIGGER } from '../../local/kinds.ts';
import { TestBroker } from '../support/test-broker.ts';

it('a status that cannot be found out is said, and others are found out after it', async () => {
  const { cluster } = new TestBroker();
  const guard = { check: () => assert.fail('out of order') } as unknown as AddressGuard;
  const problems: string[] = [];
  startEventing({
    cluster,
    brokerUrl: 'http://127.0.0.1:9',
    dumperUrl: 'http://127.0.0.1:9/',
    sinks: { guard, urlOfService: () => undefined },
    now: () => new Date(),
    onProblem: (message) => void problems.push(message),
  });
  const metadata = { name: 't', namespace: 'demo', uid: 't' };
  cluster.apply({ ...TRIGGER, metadata, spec: { broker: 'b', subscriber: { uri: 'http://127.0.0.1:9/' } } });
  await vi.waitFor(() => expect(problems).toContain('out of order'));
  cluster.apply({ ...BROKER, metadata: { ...metadata, name: 'b' }, spec: {} });
  await vi.waitFor(() => expect(cluster.all(BROKER)[0]?.status).toMatchObject({ address: { name: 'http' } }));
});
