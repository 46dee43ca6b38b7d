import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ProviderCall, Quota } from '../sources/contract.ts';

/** Seconds; a call is given up after 15. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
/** Specs name APIs, so others could make as many as they like. */
const MOST_APIS = 20;
const OTHERS = 'others';

interface KnownQuota extends Quota {
  readonly kind: string;
  readonly api: string;
}

/** Calls to providers' APIs, and what is left of the quotas of their access tokens. Nothing tells of a token. */
export class ProviderMetrics {
  readonly #calls: Counter<'kind' | 'method' | 'result'>;
  readonly #time: Histogram<'kind' | 'method'>;
  readonly #now: () => Date;
  readonly #apis = new Set<string>();
  /** By kind, API and token. */
  readonly #quotas = new Map<string, KnownQuota>();

  constructor(registry: Registry, now: () => Date) {
    this.#now = now;
    const registers = [registry];
    this.#calls = new Counter({
      name: 'headwater_provider_requests_total',
      help: 'Calls to APIs of providers.',
      labelNames: ['kind', 'method', 'result'],
      registers,
    });
    this.#time = new Histogram({
      name: 'headwater_provider_request_duration_seconds',
      help: 'How long calls to APIs of providers take.',
      labelNames: ['kind', 'method'],
      buckets: BUCKETS,
      registers,
    });
    const quota = (name: string, help: string, value: (quota: Quota) => number, least: () => readonly KnownQuota[]) =>
      new Gauge({
        name,
        help,
        labelNames: ['kind', 'api'],
        registers,
        collect() {
          this.reset();
          for (const one of least()) this.set({ kind: one.kind, api: one.api }, value(one));
        },
      });
    const least = () => this.#least();
    const ofWhich = 'Of the access token that has the smallest part left, for each API';
    quota('headwater_provider_quota_remaining', `${ofWhich}: calls left.`, ({ remaining }) => remaining, least);
    quota('headwater_provider_quota_limit', `${ofWhich}: calls it has in a period.`, ({ limit }) => limit, least);
  }

  called(kind: string, { api, method, result, seconds, quota }: ProviderCall): void {
    this.#calls.inc({ kind, method, result });
    if (result !== 'not-sent') this.#time.observe({ kind, method }, seconds);
    if (!quota) return;
    const key = `${kind} ${api} ${quota.tokenDigest}`;
    if (!this.#quotas.has(key)) this.#forgetOld();
    this.#quotas.set(key, { ...quota, kind, api: this.#labelOf(api) });
  }

  #labelOf(api: string): string {
    const host = URL.parse(api)?.host ?? OTHERS;
    if (this.#apis.size < MOST_APIS) this.#apis.add(host);
    return this.#apis.has(host) ? host : OTHERS;
  }

  /** Once its period is over, all of a quota is there again. */
  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { resetAt }] of this.#quotas) if (resetAt <= now) this.#quotas.delete(key);
  }

  #least(): readonly KnownQuota[] {
    this.#forgetOld();
    const least = new Map<string, KnownQuota>();
    for (const quota of this.#quotas.values()) {
      const place = `${quota.kind} ${quota.api}`;
      const known = least.get(place);
      if (!known || quota.remaining / quota.limit < known.remaining / known.limit) least.set(place, quota);
    }
    return [...least.values()];
  }
}
