import { createHash, createHmac, type KeyObject } from 'node:crypto';

/** Identifies the bytes of a body: lower-case hex of HMAC-SHA256 under `key`, or of plain SHA-256 without one. */
export interface BodyDigest {
  readonly key: KeyObject | undefined;
  readonly value: string;
}

export function digestOf(body: Buffer, key?: KeyObject): BodyDigest {
  const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  return { key, value: hash.update(body).digest('hex') };
}

/** Whether `remembered` was taken of the bytes of `body`, also when a secret was rotated in between. */
export function isDigestOf(remembered: BodyDigest, current: BodyDigest, body: Buffer): boolean {
  if (remembered.key === current.key) return remembered.value === current.value;
  return remembered.value === digestOf(body, remembered.key).value;
}
