import { hash } from 'node:crypto';
import type { Quota } from '../contract.ts';

/** Quotas are of an hour; whoever answers with more is not GitHub. */
const LONGEST_MS = 3_600_000;

/** What an answer says of the quota (GitHub, "Rate limits for the REST API"); undefined: nothing, as a server without limits. */
export function quotaIn(
  headers: Readonly<Record<string, string | number | undefined>> | undefined,
  token: string,
): Quota | undefined {
  const number = (name: string) => Number(headers?.[`x-ratelimit-${name}`] ?? Number.NaN);
  const [remaining, limit, resetSeconds] = [number('remaining'), number('limit'), number('reset')];
  const isSaid = remaining >= 0 && limit > 0 && resetSeconds > 0;
  if (!isSaid) return undefined;
  const resetAt = new Date(Math.min(resetSeconds * 1000, Date.now() + LONGEST_MS));
  return { tokenDigest: hash('sha256', token, 'base64'), remaining, limit, resetAt };
}
