import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiRequest } from '../../../controller/kube/api-client.ts';
import { Lease } from '../../../controller/kube/lease.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

interface Stored {
  readonly metadata: { readonly resourceVersion?: string };
  readonly spec: { readonly holderIdentity?: string | null };
}

/** The Lease at the API server. */
let stored: Stored | undefined;
let version: number;
/** What happens to a write before it is done. */
let beforeWrite: () => Promise<void>;
beforeEach(() => {
  stored = undefined;
  version = 0;
  beforeWrite = async () => undefined;
});
const leases: Lease[] = [];
afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.release()));
});

async function call(method: string, path: string, { body }: ApiRequest = {}): Promise<unknown> {
  if (method === 'GET') {
    if (!stored) throw new ApiStatusError(`GET ${path}`, 404, 'not found');
    return structuredClone(stored);
  }
  await beforeWrite();
  const lease = body as Stored;
  if (stored && lease.metadata.resourceVersion !== stored.metadata.resourceVersion)
    throw new ApiStatusError(`${method} ${path}`, 409, 'conflict');
  version += 1;
  stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } };
  return stored;
}

function aLease(identity: string): Lease {
  const timings = { leaseMs: 300, renewDeadlineMs: 200, retryMs: 20 };
  const log = pino({ level: 'silent' });
  const lease = new Lease({ api: { call: call as never }, namespace: 'system', name: 'x', identity, timings, log });
  leases.push(lease);
  return lease;
}

const holder = () => stored?.spec.holderIdentity;
const soon = (check: () => void) => vi.waitFor(check, { timeout: 3000, interval: 5 });
const never = () => expect.unreachable('lost');

describe('Lease', () => {
  it('is one process, and the next one after it gave it back', async () => {
    const first = aLease('first');
    expect(await first.acquire(never)).toBe(true);
    const second = aLease('second').acquire(never);
    expect(holder()).toBe('first');
    await first.release();
    expect(await second).toBe(true);
    expect(holder()).toBe('second');
  });

  it('does not make a leader of one that stops before its turn', async () => {
    await aLease('first').acquire(never);
    const second = aLease('second');
    const acquired = second.acquire(never);
    await second.release();
    expect(await acquired).toBe(false);
    expect(holder()).toBe('first');
  });

  it('is given back also when it is won while its process stops', async () => {
    const writing = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    beforeWrite = () => {
      writing.resolve();
      return written.promise;
    };
    const lease = aLease('first');
    const acquired = lease.acquire(never);
    await writing.promise;
    const released = lease.release();
    beforeWrite = async () => undefined;
    written.resolve();
    await released;
    expect(await acquired).toBe(false);
    expect(holder()).toBeNull();
  });

  it('is left at once when somebody else has it, and by its deadline when nobody can be asked', async () => {
    const lost = vi.fn<() => void>();
    await aLease('first').acquire(lost);
    stored = { metadata: { resourceVersion: 'x' }, spec: { holderIdentity: 'other' } };
    const from = performance.now();
    await soon(() => expect(lost).toHaveBeenCalledOnce());
    expect(performance.now() - from).toBeLessThan(150);
  });

  it('is taken from one that does not renew it, not before its length is over', async () => {
    stored = { metadata: { resourceVersion: 'x' }, spec: { holderIdentity: 'dead' } };
    const from = performance.now();
    expect(await aLease('second').acquire(never)).toBe(true);
    expect(performance.now() - from).toBeGreaterThan(290);
  });
});
