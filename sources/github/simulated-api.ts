import { createHash } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { listen, type PortWish } from '../../core/listen.ts';
import { HourlyLimits, type RateLimits, SECONDARY_DOCUMENTATION, USUAL_LIMITS } from './simulated-limits.ts';

/** A webhook as GitHub keeps it; `config.secret` is only ever shown as asterisks. */
export interface SimulatedHook {
  readonly id: number;
  /** `owner/repository`, or an organization. */
  readonly repository: string;
  active: boolean;
  events: string[];
  config: { url: string; content_type: string; insecure_ssl: string; secret: string };
  updatedAt: Date;
}

/** One call and its answer; bodies as parsed JSON, undefined where there is none. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly request: unknown;
  readonly status: number;
  readonly response: unknown;
}

export interface SimulatedGitHubOptions {
  /** Called with each call when it is answered. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Called after a webhook was made or a ping was asked for, as GitHub then sends one. */
  readonly onPing?: (hook: SimulatedHook) => void;
  readonly now?: () => Date;
  /** null: none, as at a GitHub Enterprise Server by default. */
  readonly limits?: Partial<RateLimits> | null;
}

/** It takes any access token but one that says of itself that it is none. */
const REFUSED_TOKEN = /bad|expired|invalid|refused|revoked|wrong/i;

interface HookParams {
  readonly owner: string;
  readonly repo?: string;
  readonly id?: string;
}

interface HookBody {
  readonly name?: string;
  readonly active?: boolean;
  readonly events?: readonly string[];
  readonly config?: Partial<SimulatedHook['config']>;
}

type Request = FastifyRequest<{
  Params: HookParams;
  Querystring: { per_page?: string; page?: string };
  Body: HookBody;
}>;

const DOCUMENTATION = 'https://docs.github.com/rest/repos/webhooks';

/** GitHub's API for webhooks, with a memory; the double for `--simulate` and tests. */
export class SimulatedGitHub {
  readonly hooks: SimulatedHook[] = [];
  /** `METHOD path` of each call, in order. */
  readonly calls: string[] = [];
  readonly #limits: HourlyLimits | undefined;
  readonly #options: SimulatedGitHubOptions;
  readonly #app: FastifyInstance = fastify({ logger: false, forceCloseConnections: true });
  #nextId = 4001;
  #lost: RegExp | undefined;
  #unkept: ReadonlySet<string> = new Set();
  #refusal: { status: number; headers: Readonly<Record<string, string>>; matches: RegExp } | undefined;

  constructor(options: SimulatedGitHubOptions = {}) {
    this.#options = options;
    if (options.limits !== null) this.#limits = new HourlyLimits({ ...USUAL_LIMITS, ...options.limits });
    this.#app.addHook('onRequest', (request, reply, done) => {
      this.calls.push(`${request.method} ${request.url}`);
      if (this.#refuses(request, reply)) return;
      done();
    });
    this.#app.addHook('onSend', (request, reply, payload, done) => {
      if (this.#lost?.test(`${request.method} ${request.url}`)) request.raw.socket.destroy();
      const response: unknown = typeof payload === 'string' && payload !== '' ? JSON.parse(payload) : undefined;
      const { method, url: path, body } = request;
      this.#options.onExchange?.({ method, path, request: body ?? undefined, status: reply.statusCode, response });
      done();
    });
    for (const base of ['/repos/:owner/:repo/hooks', '/orgs/:owner/hooks']) this.#serve(base);
  }

  /** Resolves to the base URL. */
  async start(port: PortWish = 0, host = '127.0.0.1'): Promise<string> {
    return `http://${host}:${await listen(this.#app, { host, port, setting: '--simulator-port' })}`;
  }

  /** How many calls of this hour counted against the access token's quota. */
  get quotaUsed(): number {
    return this.#limits?.used ?? 0;
  }

  set quotaUsed(calls: number) {
    this.#limits?.use(calls, this.#now().getTime());
  }

  stop(): Promise<void> {
    return this.#app.close();
  }

  /** From now on calls that match `METHOD path` get this status; `undefined`: none. */
  refuse(status: number | undefined, matches = /./, headers: Readonly<Record<string, string>> = {}): void {
    this.#refusal = status === undefined ? undefined : { status, matches, headers };
  }

  /** From now on calls that match `METHOD path` are done, but their answers are lost; `undefined`: none. */
  loseAnswers(matches: RegExp | undefined): void {
    this.#lost = matches;
  }

  /** From now on webhooks are kept without these events, and no word is said. */
  dropEvents(...names: readonly string[]): void {
    this.#unkept = new Set(names);
  }

  #refuses(request: FastifyRequest, reply: FastifyReply): boolean {
    const exceeded = this.#limits?.takeCall(this.#now().getTime());
    void reply.headers(this.#limits?.headers() ?? {});
    if (exceeded) {
      void send(reply, exceeded.status, exceeded.message);
      return true;
    }
    const refusal = this.#refusal;
    if (refusal?.matches.test(`${request.method} ${request.url}`)) {
      void reply.headers(refusal.headers);
      void send(reply, refusal.status, MESSAGES[refusal.status] ?? 'Server Error');
      return true;
    }
    const token = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (token !== '' && !REFUSED_TOKEN.test(token)) return false;
    void send(reply, 401, token === '' ? 'Requires authentication' : 'Bad credentials');
    return true;
  }

  #serve(base: string): void {
    this.#app.get(base, (request: Request, reply) => this.#list(request, reply));
    this.#app.post(base, (request: Request, reply) => this.#create(request, reply));
    this.#app.get(`${base}/:id`, (request: Request, reply) => this.#withHook(request, reply, (hook) => hook));
    this.#app.patch(`${base}/:id`, (request: Request, reply) =>
      this.#withHook(request, reply, (hook) => {
        const { config } = request.body;
        if (config?.url && this.#isTaken(hook.repository, config.url, hook)) return 'taken';
        this.#change(hook, request.body);
        hook.updatedAt = this.#now();
        return hook;
      }),
    );
    this.#app.delete(`${base}/:id`, (request: Request, reply) =>
      this.#withHook(request, reply, (hook) => {
        this.hooks.splice(this.hooks.indexOf(hook), 1);
        return undefined;
      }),
    );
    this.#app.post(`${base}/:id/pings`, (request: Request, reply) =>
      this.#withHook(request, reply, (hook) => {
        this.#options.onPing?.(hook);
        return undefined;
      }),
    );
  }

  #list(request: Request, reply: FastifyReply): FastifyReply {
    const perPage = Math.min(100, Number(request.query.per_page ?? 30));
    const page = Number(request.query.page ?? 1);
    const all = this.hooks.filter((hook) => hook.repository === repositoryOf(request.params));
    const shown = all.slice((page - 1) * perPage, page * perPage);
    if (page * perPage < all.length) {
      const path = request.url.split('?')[0];
      void reply.header('link', `<http://${request.host}${path}?per_page=${perPage}&page=${page + 1}>; rel="next"`);
    }
    return this.#sendConditionally(request, reply, shown.map(publicView));
  }

  #create(request: Request, reply: FastifyReply): FastifyReply {
    const { name = 'web', config = {} } = request.body;
    const repository = repositoryOf(request.params);
    if (name !== 'web' || !config.url)
      return send(reply, 422, 'Validation Failed', ['Config must contain URL for webhooks']);
    if (this.#isTaken(repository, config.url)) return sendTaken(reply);
    const exceeded = this.#limits?.takeCreation(this.#now().getTime());
    if (exceeded) return send(reply.headers(exceeded.headers), exceeded.status, exceeded.message);
    const empty = { url: '', content_type: 'form', insecure_ssl: '0', secret: '' };
    const id = this.#nextId++;
    const hook: SimulatedHook = {
      id,
      repository,
      active: true,
      events: ['push'],
      config: empty,
      updatedAt: this.#now(),
    };
    this.#change(hook, request.body);
    this.hooks.push(hook);
    this.#options.onPing?.(hook);
    return reply.code(201).send(publicView(hook));
  }

  /** Whether a webhook of `repository` other than `own` has this URL. */
  #isTaken(repository: string, url: string, own?: SimulatedHook): boolean {
    return this.hooks.some((hook) => hook !== own && hook.repository === repository && hook.config.url === url);
  }

  #withHook(
    request: Request,
    reply: FastifyReply,
    act: (hook: SimulatedHook) => SimulatedHook | 'taken' | undefined,
  ): FastifyReply {
    const repository = repositoryOf(request.params);
    const hook = this.hooks.find(({ id, repository: own }) => String(id) === request.params.id && own === repository);
    if (!hook) return send(reply, 404, 'Not Found');
    const result = act(hook);
    if (result === 'taken') return sendTaken(reply);
    return result ? this.#sendConditionally(request, reply, publicView(result)) : reply.code(204).send();
  }

  #change(hook: SimulatedHook, { active, events, config }: HookBody): void {
    if (active !== undefined) hook.active = active;
    if (events) hook.events = events.filter((name) => !this.#unkept.has(name));
    // As GitHub: a config that is given replaces the one before, secret included.
    if (config) hook.config = { url: '', content_type: 'form', insecure_ssl: '0', secret: '', ...config };
  }

  /** As GitHub: the ETag is of the body alone, and "not modified" is free. */
  #sendConditionally(request: FastifyRequest, reply: FastifyReply, body: object): FastifyReply {
    const etag = `W/"${createHash('sha256').update(JSON.stringify(body)).digest('hex')}"`;
    void reply.header('etag', etag);
    if (request.method !== 'GET' || request.headers['if-none-match'] !== etag) return reply.send(body);
    this.#limits?.giveBackCall();
    void reply.headers(this.#limits?.headers() ?? {});
    return reply.code(304).send();
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Bad credentials',
  403: 'Resource not accessible by personal access token',
  404: 'Not Found',
  422: 'Validation Failed',
  429: 'You have exceeded a secondary rate limit',
};

function repositoryOf({ owner, repo }: HookParams): string {
  return repo === undefined ? owner : `${owner}/${repo}`;
}

function publicView({ id, repository, active, events, config, updatedAt }: SimulatedHook): object {
  const path = repository.includes('/') ? `/repos/${repository}/hooks/${id}` : `/orgs/${repository}/hooks/${id}`;
  const { secret, ...shown } = config;
  return {
    type: repository.includes('/') ? 'Repository' : 'Organization',
    id,
    name: 'web',
    active,
    events,
    config: secret ? { ...shown, secret: '********' } : shown,
    updated_at: updatedAt.toISOString(),
    created_at: updatedAt.toISOString(),
    url: `https://api.github.com${path}`,
    test_url: `https://api.github.com${path}/test`,
    ping_url: `https://api.github.com${path}/pings`,
    deliveries_url: `https://api.github.com${path}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  };
}

function sendTaken(reply: FastifyReply): FastifyReply {
  return send(reply, 422, 'Validation Failed', ['Hook already exists on this repository']);
}

function send(reply: FastifyReply, status: number, message: string, errors: readonly string[] = []): FastifyReply {
  const details = errors.map((text) => ({ resource: 'Hook', code: 'custom', message: text }));
  const body = {
    message,
    ...(details.length > 0 && { errors: details }),
    documentation_url: /rate limit/i.test(message) ? SECONDARY_DOCUMENTATION : DOCUMENTATION,
    status: String(status),
  };
  return reply.code(status).send(body);
}
