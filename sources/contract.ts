import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { TSchema } from 'typebox';
import type { BodyDigest } from '../core/body-digest.ts';
import type { EventAttributes } from '../core/cloud-event.ts';
import type { Egress } from '../core/guarded-fetch.ts';
import type { PortWish } from '../core/listen.ts';
import type { RemoteTrouble } from '../core/remote-api-error.ts';

/** One HTTP delivery of a provider, as it came in. */
export interface Delivery {
  /** The path of the request, without its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

declare const proof: unique symbol;

/** A delivery whose signature was checked; only `verifyDelivery` of the adapter makes one. */
export interface VerifiedDelivery extends Delivery {
  readonly [proof]: true;
  readonly digest: BodyDigest;
  /** Which of the route's secrets it was signed with: the index in `secretTokens`. */
  readonly secretIndex: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a delivery becomes. The parsed payload is not part of it: held until the sink answers, it would cost the collector dear. */
export interface ProviderEvent {
  /** The provider's name of the event, such as `push`. */
  readonly eventType: string;
  /** Their `id` is the provider's id of the delivery, the same on redelivery. */
  readonly attributes: EventAttributes;
  /** The bytes that become the event's data: what the provider signed, form encoding undone. */
  readonly data: Buffer;
}

/** A delivery as the provider would send it. */
export interface SignedDelivery {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The bytes a sink must receive as data. */
  readonly data: Buffer;
}

export interface RecordedEvent {
  readonly eventType: string;
  readonly action: string | undefined;
  readonly payload: JsonObject;
}

/** Ways to write one JSON document down. Only `compact` survives being parsed and written again. */
export const bodyForms = ['compact', 'indented', 'escaped', 'form'] as const;
export type BodyForm = (typeof bodyForms)[number];

/** A webhook at the simulated provider, with the secret its deliveries are signed with. */
export interface SimulatedWebhook {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly secret: string;
  /** How it wants bodies: `compact` for JSON, or `form`. */
  readonly form: BodyForm;
}

export interface SimulatedApiOptions {
  readonly port: PortWish;
  /** Calls of this method get this status, to see what a source then says. */
  readonly fault?: { readonly method: string; readonly status: number } | undefined;
  /** A webhook was made, or somebody asked for a ping: the provider sends one. */
  readonly onPing: (hook: SimulatedWebhook) => void;
}

/** The provider's API for webhooks, with a memory. */
export interface SimulatedApi {
  /** Base URL, on loopback. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The provider's side: its API, recorded events, and deliveries signed as the provider signs them. */
export interface Simulator {
  readonly recordedEvents: readonly RecordedEvent[];
  /** Recorded events that show this source in a demo. */
  readonly exampleEvents: readonly string[];
  /** The first event of a new webhook. */
  pingOf(hook: SimulatedWebhook): { eventType: string; payload: JsonObject };
  /** `payload`: an object to be written in `form`, or bytes to be sent as they are; `hookId`: of the webhook it is for. */
  deliver(
    event: { eventType: string; payload: JsonObject | Buffer; form?: BodyForm; id?: string; hookId?: string },
    secret: string,
  ): SignedDelivery;
  startApi(options: SimulatedApiOptions): Promise<SimulatedApi>;
}

/** A key of a Secret in the namespace of the source. */
export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

/** What a provider's spec asks for, in words all providers share. */
export interface SourcePlan {
  /** The CloudEvents `source`. */
  readonly eventSource: string;
  /** The provider's names of the events its webhook is asked for. */
  readonly eventTypes: readonly string[];
  /** The CloudEvents `type` of each event that can come. */
  readonly ceTypes: readonly string[];
  /** undefined: the spec names no key. */
  readonly secretToken: SecretKeyRef | undefined;
  /** undefined: the user makes the webhook. */
  readonly accessToken: SecretKeyRef | undefined;
  readonly hook: Omit<HookAccess, 'token'>;
  /** Whether the webhook's URL is https; undefined: as the public address has it. */
  readonly secure: boolean | undefined;
  /** The opaque part of the route. */
  readonly provider: Readonly<Record<string, unknown>>;
  /** Why no webhook can be made of this spec, a sentence each. */
  readonly problems: readonly string[];
  /** What may be a mistake, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * The attribute by which all events about one thing of the provider, such as a pull request, are known to belong together.
 * A source sends it where its spec says `correlation: true`: it is no attribute of Knative's own sources.
 */
export interface Correlation {
  /** Name of the extension: the provider's own, since events of several providers meet in one Broker. */
  readonly extension: string;
  /** What its value is, for people. */
  readonly meaning: string;
  /** The provider's names of the events that carry it, always or when they name such a thing. */
  readonly eventTypes: readonly string[];
}

/** An attribute that an adapter sets on the events of one type, beside those that every event has. */
export interface EventAttribute {
  readonly name: string;
  /** The member of the payload whose value it is, such as `['pull_request', 'number']`; undefined: it is made otherwise. */
  readonly member: readonly string[] | undefined;
  /** Whether every event of the type carries it. */
  readonly always: boolean;
}

/** What the custom resource of a provider is made of. */
export interface SpecDefinition {
  /** The provider's names of the events it can send. */
  readonly eventNames: readonly string[];
  /** The CloudEvents `type` of the provider's event. */
  ceTypeOf(eventName: string): string;
  /** The attributes its events carry beside id, source, type and specversion, `subject` among them. */
  attributesOf(eventName: string): readonly EventAttribute[];
  /** Attributes that have the same value on each event of a source with this spec that carries them, such as the owner. */
  constantsOf(spec: object): Readonly<Record<string, string>>;
  /** The part of a spec that names what a webhook belongs to, and the keys `accessToken` and `secretToken` of one Secret. */
  specFor(repository: string, secret: string | undefined): Readonly<Record<string, unknown>>;
  /** undefined: it offers none, and its spec has no field `correlation`. */
  readonly correlation?: Correlation;
  /** `spec`: valid by `schema`. */
  planOf(spec: object): SourcePlan;
  /** The schema of `spec`; structural. */
  readonly schema: TSchema;
  /** One sentence for `kubectl explain`. */
  readonly description: string;
  /** The types of events it can send, for the annotation `registry.knative.dev/eventTypes`. */
  readonly eventTypes: readonly string[];
}

/** Where and with what right webhooks are managed. */
export interface HookAccess {
  /** Base URL of the provider's API, without a slash at its end. */
  readonly api: string;
  /** What webhooks belong to there, as the spec names it. */
  readonly repository: string;
  readonly token: string;
}

/** A webhook as it should be. */
export interface DesiredHook {
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly secret: string;
}

/** A webhook as the provider tells of it. It never tells the secret. */
export interface ObservedHook {
  readonly id: string;
  readonly url: string;
  /** Whether a secret is set, and everything but its value is as desired. */
  isAsDesired(desired: Omit<DesiredHook, 'secret'>): boolean;
  /** What is compared of it, in words; the same text as long as the provider keeps it so. */
  describe(): string;
}

/** Whether a webhook is for the source that asks. */
export type Claim = (hook: Pick<ObservedHook, 'id' | 'url'>) => boolean;

/** The webhooks of a provider's API. All reject with RemoteApiError. */
export interface WebhookApi {
  /** What a user can change when a call failed in this way; a sentence. */
  readonly advice: Readonly<Record<RemoteTrouble, string>>;
  /**
   * All webhooks that are claimed, in the order of the API. `since`: a list that another source asked for since then will
   * do, unless something was written here in between; absent: it is asked for now.
   */
  observe(access: HookAccess, isOurs: Claim, since?: Date): Promise<readonly ObservedHook[]>;
  /** Makes a webhook; one that is there already is changed instead. */
  create(access: HookAccess, desired: DesiredHook, isOurs: Claim): Promise<ObservedHook>;
  update(access: HookAccess, id: string, desired: DesiredHook): Promise<ObservedHook>;
  /** Also resolves when it is gone already. */
  remove(access: HookAccess, id: string): Promise<void>;
}

/** A call to a provider's API, as it ended. */
export interface ProviderCall {
  /** Base URL of the API. */
  readonly api: string;
  readonly method: string;
  /** `unchanged`: to a conditional request; `not-sent`: the provider asked for a pause, which is kept. */
  readonly result: 'ok' | 'unchanged' | 'not-sent' | RemoteTrouble;
  /** How long it took. */
  readonly seconds: number;
  /** undefined: the answer says nothing of it. */
  readonly quota: Quota | undefined;
}

/** What an access token may still be used for. */
export interface Quota {
  /** Tells tokens apart; the token cannot be told from it. */
  readonly tokenDigest: string;
  readonly remaining: number;
  readonly limit: number;
  /** When all of it is there again. */
  readonly resetAt: Date;
}

/** The controller that served a kind before Headwater came, by the names it gives to things in a cluster. */
export interface UpstreamController {
  /** Of the Leases whose holder works on the kind's sources. */
  readonly leases: RegExp;
  /** Selects the Knative Services it made, one for each source. */
  readonly serviceLabel: string;
  /** Of the admission webhooks for the kind; each configuration has the name of its only webhook. */
  readonly admissionWebhooks: readonly string[];
}

/** What every provider must declare; one object in `registry.ts` each. */
export interface SourceDefinition {
  /** The kind of its source objects, such as `GitHubSource`. */
  readonly kind: string;
  /** The API group of its source objects: Knative's for the kinds Knative has, else ours. */
  readonly group: 'sources.knative.dev' | 'sources.headwater.dev';
  /** How long the provider waits for a reply less a margin, in milliseconds: all attempts at the sink fit in it. */
  readonly replyBudgetMs: number;
  /** Events delivered whatever the source's `eventTypes` say. */
  readonly alwaysDelivered: ReadonlySet<string>;
  /** Whether the headers carry a well-formed signature; asked before the body is read. */
  carriesSignature(headers: IncomingHttpHeaders): boolean;
  /** The digest of the body that the signature proves; undefined when it was not signed with `secret`. */
  authenticate(delivery: Delivery, secret: KeyObject): BodyDigest | undefined;
  /**
   * `provider`: the opaque part of the route, as `planOf` of this provider, or of another version of it, made it;
   * `malformed`: a sentence on why it is no delivery of this provider, though rightly signed; nothing of it is quoted.
   */
  toEvent(
    delivery: VerifiedDelivery,
    provider: Readonly<Record<string, unknown>>,
  ): ProviderEvent | { readonly malformed: string };
  /** undefined: nobody served this kind before. */
  readonly upstream?: UpstreamController;
  loadSpec(): Promise<SpecDefinition>;
  /**
   * `egress`: how an API that a spec names may be called; `now`: the clock of `observe`'s `since`; `onCall`: told of each
   * call.
   */
  loadWebhookApi(egress: Egress, now: () => Date, onCall: (call: ProviderCall) => void): Promise<WebhookApi>;
  loadSimulator(): Promise<Simulator>;
}
