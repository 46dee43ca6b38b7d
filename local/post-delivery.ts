import { codeOf, messageOf } from '../core/errors.ts';
import { printable } from '../dump/format.ts';
import type { SignedDelivery } from '../sources/contract.ts';

/** Longer than any provider waits. */
const TIMEOUT_MS = 35_000;
const TEXT_BYTES = 4096;

/** What came back; `text` is the beginning of the body on one line, safe on a terminal. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Posts a delivery as it stands, and follows no redirect.
 * @throws Error with a sentence when there was no answer.
 */
export async function postDelivery(url: string, delivery: SignedDelivery, stop?: AbortSignal): Promise<Answer> {
  const { headers, body } = delivery;
  const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(stop ? [stop] : [])]);
  try {
    const init = { method: 'POST', headers, body: new Uint8Array(body), redirect: 'manual', signal } as const;
    const reply = await fetch(url, init);
    return { status: reply.status, text: printable((await beginningOf(reply)).replace(/\s+/g, ' ').trim()) };
  } catch (error) {
    const { cause } = error as Error;
    // Where several addresses refused, the cause has a code and no message.
    const why = cause === undefined ? '' : `: ${messageOf(cause) || codeOf(cause)}`;
    throw new Error(printable(`${messageOf(error)}${why}`.trim()), { cause: error });
  }
}

async function beginningOf(reply: Response): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of reply.body ?? []) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > TEXT_BYTES) break;
  }
  return bytes.subarray(0, TEXT_BYTES).toString('utf8');
}
