import { Agent, type Dispatcher, fetch, type RequestInit, Response } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import type { Proxies } from './proxies.ts';
import { proxyAgent } from './proxy-agent.ts';

const MAX_REPLY_MIB = 8;
const CONNECT_TIMEOUT_MS = 10_000;

/** What calls to URLs that users choose must keep to. */
export interface Egress {
  /** Of the address that a name has here; behind a proxy, of hosts that are addresses alone. */
  readonly guard: AddressGuard;
  readonly proxies: Proxies;
}

/** Somebody answers without end, or with a few bytes that unpack to as many as memory has. */
export class OversizedReplyError extends Error {
  override name = 'OversizedReplyError';
  constructor() {
    super(`the answer is larger than ${MAX_REPLY_MIB} MiB, which is not read`);
  }
}

/** Connections are kept, so that each guard and each proxy has one agent for as long as it is used. */
const agents = new WeakMap<AddressGuard | URL, Dispatcher>();

function agentFor(url: string, { guard, proxies }: Egress): Dispatcher {
  const proxy = proxies.proxyFor(url);
  const key = proxy ?? guard;
  let agent = agents.get(key);
  if (agent === undefined) {
    agent = proxy
      ? proxyAgent(proxy, { connectTimeoutMs: CONNECT_TIMEOUT_MS })
      : new Agent({ allowH2: false, connect: { lookup: guard.lookup } });
    agents.set(key, agent);
  }
  return agent;
}

/**
 * `fetch` for URLs that users choose: it calls no address that the guard forbids, and follows no redirect. The answer is
 * read to its end. Rejects with TypeError, whose cause may be ForbiddenAddressError, with that itself, or with
 * OversizedReplyError.
 */
export async function guardedFetch(egress: Egress, url: string, init: RequestInit): Promise<Response> {
  // No name is looked up for a host that is an address.
  egress.guard.check(new URL(url).hostname);
  const reply = await fetch(url, { ...init, redirect: 'manual', dispatcher: agentFor(url, egress) });
  const { status, statusText, headers } = reply;
  return new Response(await bodyOf(reply), { status, statusText, headers });
}

/** Counted as it comes, unpacked; leaving the loop ends the connection. */
async function bodyOf({ body }: Response): Promise<Buffer | null> {
  if (body === null) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > MAX_REPLY_MIB * 1024 * 1024) throw new OversizedReplyError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
