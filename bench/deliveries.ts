import type { RecordedEvent, SignedDelivery } from '../sources/contract.ts';
import { sources } from '../sources/registry.ts';

export const SECRET = 'secret of the bench';
export const HOOK_PATH = '/hooks/bench';

/** So many different requests are sent in turn. */
const SAMPLE = 64;
/** Of the bodies; figures can be compared only at the same mean. */
const MEAN_BYTES = 12_600;
/** Stands in a prepared request where its id will be; no payload contains it. */
const ID_PLACEHOLDER = 'id-of-this-delivery';

export interface Deliveries {
  /** Of the bodies. */
  readonly meanBytes: number;
  readonly count: number;
  /** One request each, cut where the delivery's id belongs: lengths of head and tail in a line, head, tail. */
  readonly requests: Buffer;
  /** One delivery with an id of its own. */
  readonly next: () => SignedDelivery;
}

/** Real recorded deliveries of the first provider, signed beforehand: the signature covers the body alone. */
export async function prepareDeliveries(): Promise<Deliveries> {
  const [definition] = sources;
  if (definition === undefined) throw new Error('no provider is registered');
  const simulator = await definition.loadSimulator();
  const sample = sampleWithMean(simulator.recordedEvents, SAMPLE, MEAN_BYTES);
  const [first] = sample;
  if (first === undefined) throw new Error(`no ${SAMPLE} recorded deliveries average ${MEAN_BYTES} bytes`);
  const signed = sample.map((event) => simulator.deliver({ ...event, id: ID_PLACEHOLDER }, SECRET));
  return {
    meanBytes: meanOf(signed.map(({ body }) => body.length)),
    count: signed.length,
    requests: Buffer.concat(signed.flatMap(requestParts)),
    next: () => simulator.deliver(first, SECRET),
  };
}

/** `count` events spread evenly over all sizes, the smallest left out until the mean is `mean` bytes. */
function sampleWithMean(events: readonly RecordedEvent[], count: number, mean: number): RecordedEvent[] {
  const bySize = events
    .map((event) => ({ event, bytes: Buffer.byteLength(JSON.stringify(event.payload)) }))
    .toSorted((a, b) => a.bytes - b.bytes);
  for (let left = 0; left + count <= bySize.length; left += 1) {
    const step = (bySize.length - left) / count;
    const sample = Array.from({ length: count }, (_, index) => bySize[left + Math.floor(index * step)]);
    const known = sample.filter((entry) => entry !== undefined);
    if (meanOf(known.map(({ bytes }) => bytes)) >= mean) {
      const chosen = new Set(known.map(({ event }) => event));
      return events.filter((event) => chosen.has(event));
    }
  }
  return [];
}

function requestParts({ headers, body }: SignedDelivery): Buffer[] {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `POST ${HOOK_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n`;
  const [head = '', rest = ''] = text.split(ID_PLACEHOLDER);
  const tail = Buffer.concat([Buffer.from(rest), body]);
  return [Buffer.from(`${head.length} ${tail.length}\n${head}`), tail];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
