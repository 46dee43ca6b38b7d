import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import { sha256Of } from '../dump/event.ts';
import type { RecordedEvent, SignedDelivery, SimulatedWebhook, Simulator } from '../sources/contract.ts';
import type { Report } from './dev-line.ts';
import { postDelivery } from './post-delivery.ts';

/** A delivery the simulated provider sends. */
export interface PlayedDelivery {
  readonly eventType: string;
  readonly id: string;
  /** Of the data, in hex. */
  readonly sha256: string;
  readonly url: string;
  /** What came back; undefined: nothing yet. */
  answer?: string;
}

export interface PlaybackOptions {
  readonly simulator: Simulator;
  /** Deliveries are signed with this instead of the webhook's own secret, to see them refused. */
  readonly secret: string | undefined;
  readonly report: Report;
}

/** Sends what a provider sends of its own accord: a ping to each new webhook, then recorded events it asked for. */
export class Playback {
  /** All that were sent or will be. */
  readonly deliveries: PlayedDelivery[] = [];
  readonly #options: PlaybackOptions;
  readonly #known = new Set<string>();
  readonly #stopped = new AbortController();
  /** One after the other, so that what is to be seen has an order. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  /** For the simulator: a webhook was made, or somebody asked for a ping. */
  readonly onPing = (hook: SimulatedWebhook): void => {
    const isNew = !this.#known.has(hook.id);
    this.#known.add(hook.id);
    for (const event of [this.#options.simulator.pingOf(hook), ...(isNew ? this.#examplesFor(hook) : [])]) {
      this.#plan(event, hook);
    }
  };

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#queue;
  }

  #examplesFor({ eventTypes }: SimulatedWebhook) {
    const { recordedEvents, exampleEvents } = this.#options.simulator;
    const named = eventTypes.includes('*') ? exampleEvents : eventTypes.filter((name) => name !== 'ping');
    return named.flatMap((name) => recordedEvents.find(({ eventType }) => eventType === name) ?? []);
  }

  #plan({ eventType, payload }: Pick<RecordedEvent, 'eventType' | 'payload'>, hook: SimulatedWebhook): void {
    const { simulator, secret = hook.secret } = this.#options;
    const signed = simulator.deliver({ eventType, payload, form: hook.form, hookId: hook.id }, secret);
    const delivery: PlayedDelivery = { eventType, id: signed.id, sha256: sha256Of(signed.data), url: hook.url };
    this.deliveries.push(delivery);
    // A provider answers the call that made the webhook first.
    this.#queue = this.#queue.then(() => setImmediate()).then(() => this.#play(delivery, signed));
  }

  async #play(delivery: PlayedDelivery, signed: SignedDelivery): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { signal } = this.#stopped;
    try {
      const { status, text } = await postDelivery(delivery.url, signed, signal);
      // The adapter, where it was sent, says what became of it.
      delivery.answer = `${status} ${text}`;
    } catch (error) {
      delivery.answer = messageOf(error);
      const { eventType, id, url, answer } = delivery;
      const message = `${eventType}, delivery ${id}, to ${url}: ${answer}`;
      if (!signal.aborted) this.#options.report({ type: 'warning', from: 'simulator', message });
    }
  }
}
