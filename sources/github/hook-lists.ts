import { hash } from 'node:crypto';
import { RemoteApiError, type RemoteTrouble } from '../../core/remote-api-error.ts';
import type { HookAccess, ObservedHook } from '../contract.ts';
import { type GuardedAccess, githubApi, isUnder } from './api.ts';
import { hooksIn } from './hook.ts';
import { hooksPath } from './spec.ts';

/** A page of a list, as it was when it was last read. */
interface Page {
  readonly url: string;
  /** undefined: it cannot be asked whether the page is still the same. */
  readonly etag: string | undefined;
  readonly hooks: readonly ObservedHook[];
  /** The URL of the next page. */
  readonly next: string | undefined;
}

interface HookList {
  /** The same for every access token. */
  readonly place: string;
  usedAt: number;
  /** When `reading` was asked for; undefined: it failed, or something was written since. */
  askedAt: number | undefined;
  reading: Promise<readonly Page[]>;
  /** What was read last. */
  pages: readonly Page[];
}

/** A list that no source needs any more is forgotten. */
const UNUSED_MS = 3_600_000;

/** Trouble after which what was read may still be so. */
const PASSING: ReadonlySet<RemoteTrouble> = new Set(['rate-limited', 'unreachable', 'failing']);

/**
 * The webhooks of each repository or organization, one list for all sources that name it with the same access token. What
 * was read before is asked for with If-None-Match: "not modified" costs nothing of the token's quota.
 */
export class HookLists {
  /** The one used longest ago comes first. */
  readonly #lists = new Map<string, HookList>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** `since`: a list asked for since then will do; undefined: it is asked for now. Rejects with RemoteApiError. */
  async read(access: GuardedAccess, since: Date | undefined): Promise<readonly ObservedHook[]> {
    const now = this.#now().getTime();
    const list = this.#listOf(access, now);
    // A clock that was set back must not make a list last.
    const isRecent = since && list.askedAt !== undefined && list.askedAt >= since.getTime() && list.askedAt <= now;
    if (!isRecent) this.#ask(list, access, now);
    return (await list.reading).flatMap(({ hooks }) => hooks);
  }

  /** Writes at a provider; however that ends, lists asked for before are not used again. */
  async around<Written>(access: HookAccess, write: () => Promise<Written>): Promise<Written> {
    try {
      return await write();
    } finally {
      const place = placeOf(access);
      for (const list of this.#lists.values()) if (list.place === place) list.askedAt = undefined;
    }
  }

  #listOf(access: HookAccess, now: number): HookList {
    const place = placeOf(access);
    const key = `${place} ${hash('sha256', access.token, 'base64')}`;
    const list = this.#lists.get(key) ?? {
      place,
      usedAt: now,
      askedAt: undefined,
      reading: Promise.resolve([]),
      pages: [],
    };
    list.usedAt = now;
    this.#lists.delete(key);
    this.#lists.set(key, list);
    for (const [other, { usedAt }] of this.#lists) {
      if (now - usedAt < UNUSED_MS) break;
      this.#lists.delete(other);
    }
    return list;
  }

  #ask(list: HookList, access: GuardedAccess, now: number): void {
    const reading = readPages(access, list.pages);
    list.askedAt = now;
    list.reading = reading;
    reading.then(
      (pages) => void (list.pages = pages),
      (error: unknown) => {
        list.askedAt = undefined;
        if (!(error instanceof RemoteApiError) || !PASSING.has(error.trouble)) list.pages = [];
      },
    );
  }
}

/** GitHub passes over case, and a slash at the end. */
function placeOf({ api, repository }: HookAccess): string {
  return `${api} ${hooksPath(repository).toLowerCase()}`;
}

const PAGE_LENGTH = 100;

/** GitHub allows 20 webhooks for an event. */
const MOST_PAGES = 50;

/** `known`: the pages as they were before. */
async function readPages(access: GuardedAccess, known: readonly Page[]): Promise<readonly Page[]> {
  const path = hooksPath(access.repository);
  const pages: Page[] = [];
  let url: string | undefined = `${path}?per_page=${PAGE_LENGTH}`;
  while (url !== undefined) {
    if (pages.length === MOST_PAGES) {
      const reason = `the list of webhooks has more than ${MOST_PAGES} pages, which are not read: check githubAPIURL`;
      throw new RemoteApiError(`GET ${path}`, { trouble: 'invalid', reason });
    }
    const wanted: string = url;
    const page: Page = await readPage(
      access,
      wanted,
      known.find((one) => one.url === wanted),
    );
    pages.push(page);
    url = page.next;
  }
  return pages;
}

/** Of pages that did not change, others may have: each is asked for. */
async function readPage(access: GuardedAccess, url: string, known: Page | undefined): Promise<Page> {
  const headers = known?.etag ? { 'if-none-match': known.etag } : {};
  const answer = await githubApi(access).request({ method: 'GET', url, headers });
  const { link, etag } = answer.headers;
  const next = nextPageOf(link, access);
  if (known && answer.status === 304) return link === undefined ? known : { ...known, next };
  const hooks = hooksIn(`GET ${hooksPath(access.repository)}`, answer);
  // A page after a full one changes its Link header, but not its ETag.
  const mayGrow = next === undefined && hooks.length >= PAGE_LENGTH;
  return { url, etag: mayGrow ? undefined : etag, hooks, next };
}

/** The URL that a Link header (RFC 8288) calls next. The access token goes there too, so it must be of the same API. */
function nextPageOf(link: string | undefined, { api, repository }: HookAccess): string | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  if (next === undefined) return undefined;
  const url = URL.parse(next)?.href;
  if (url !== undefined && isUnder(api, url)) return url;
  const reason = 'the next page of the list is not under githubAPIURL, so it is not asked for: check githubAPIURL';
  throw new RemoteApiError(`GET ${hooksPath(repository)}`, { trouble: 'invalid', reason });
}
