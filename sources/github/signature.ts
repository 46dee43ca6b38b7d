import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { BodyDigest } from '../../core/body-digest.ts';
import type { Delivery } from '../contract.ts';

/** Exactly what GitHub sends: lower-case hex. Two headers arrive joined by a comma and do not match. */
const SIGNATURE = /^sha256=([0-9a-f]{64})$/;

function signatureOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-hub-signature-256'];
  return typeof value === 'string' ? SIGNATURE.exec(value)?.[1] : undefined;
}

/** SHA-1 alone (`X-Hub-Signature`) does not count. */
export function carriesSignature(headers: IncomingHttpHeaders): boolean {
  return signatureOf(headers) !== undefined;
}

/**
 * HMAC-SHA256 over the raw bytes of the body (GitHub, "Validating webhook deliveries"), compared in constant time. The
 * verified signature is itself the digest of the body under this secret.
 */
export function authenticate(delivery: Delivery, secret: KeyObject): BodyDigest | undefined {
  const claimed = signatureOf(delivery.headers);
  if (claimed === undefined) return undefined;
  const actual = createHmac('sha256', secret).update(delivery.body).digest();
  return timingSafeEqual(Buffer.from(claimed, 'hex'), actual) ? { key: secret, value: claimed } : undefined;
}
