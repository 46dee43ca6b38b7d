import { type ReplicaAnswer, readReplica, stateIn } from './adapter-state.ts';
import type { AdapterState } from './cluster.ts';

interface Question {
  readonly uids: Set<string>;
  readonly answer: Promise<ReplicaAnswer>;
}

const SILENT_ANSWER: ReplicaAnswer = { kind: 'silent' };

/**
 * One replica of the adapter, asked by one request at a time for all the sources that wait for an answer: with thousands of
 * them, its work and ours stay small. Once it let a request time out nobody waits for it, until it answers a look.
 */
export class AdapterReplica {
  readonly #internalUrl: string;
  #isSilent = false;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Question | undefined;

  constructor(internalUrl: string) {
    this.#internalUrl = internalUrl;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** What it says of a route, asked for after this call; undefined: it is not ready, or does not answer. */
  async stateOf(uid: string): Promise<AdapterState | undefined> {
    if (this.#isSilent) return undefined;
    this.#next ??= { uids: new Set(), answer: this.#underWay.then(() => this.#askNext()) };
    const { uids, answer } = this.#next;
    uids.add(uid);
    return stateIn(await answer, uid);
  }

  /** Whether it is ready, asked for now. */
  async look(): Promise<boolean> {
    const { kind } = await readReplica(this.#internalUrl, []);
    this.#isSilent = kind === 'silent';
    return kind === 'ready';
  }

  async #askNext(): Promise<ReplicaAnswer> {
    const uids = [...(this.#next?.uids ?? [])];
    this.#next = undefined;
    // It fell silent while they waited.
    if (this.#isSilent) return SILENT_ANSWER;
    const answer = readReplica(this.#internalUrl, uids);
    this.#underWay = answer;
    const { kind } = await answer;
    if (kind === 'silent') this.#isSilent = true;
    return answer;
  }
}
