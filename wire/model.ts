import type { Place } from '../core/problem.ts';
import type { EventAttribute } from '../sources/contract.ts';
import type { ExternalProducer, WireConfig, WorkflowConfig } from './config.ts';

/**
 * What `readWiring` makes of files, and all commands take: sets of wiring, each with its workflows and sources. Plain
 * data: it survives JSON, and two readings of the same files are equal.
 */
export interface Wiring {
  /** In the order they were read. */
  readonly sets: readonly WireSet[];
}

/** What one `wire.yaml` describes; or the definitions of the paths that no `wire.yaml` names, together. */
export interface WireSet {
  /** Label `wire.headwater.dev/set` of its objects; undefined: no wire.yaml describes it, and so nothing can be made of it. */
  readonly name: string | undefined;
  /** Of all objects but those that belong to the Broker. */
  readonly namespace: string;
  /** The wire.yaml; without one, the first definition. */
  readonly place: Place;
  /** As written; without wire.yaml: nothing but a name of ''. */
  readonly config: WireConfig;
  readonly broker: WiredBroker;
  readonly sources: readonly WiredSource[];
  readonly external: readonly WiredProducer[];
  readonly workflows: readonly WiredWorkflow[];
}

/** The Broker of a set, defaults filled in. */
export interface WiredBroker {
  readonly name: string;
  /** That of the set's Triggers, too: a Trigger is in the namespace of its Broker. */
  readonly namespace: string;
  /** Whether it belongs to the set. */
  readonly create: boolean;
  readonly class: string;
  /** Where it takes events; undefined: its class does not tell, and `broker.url` is not given. */
  readonly url: string | undefined;
  readonly place: Place;
}

/** One source object, without its sink and event types: those are for `plan` to find. */
export interface WiredSource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Valid by the kind's schema but for the fields that are missing. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** The CloudEvents `source` of its events. */
  readonly eventSource: string;
  /** The provider's names of events that it is asked for whether or not a workflow consumes them. */
  readonly eventTypes: readonly string[];
  /** Whether it is asked for no other. */
  readonly fixed: boolean;
  /** All events it could send. */
  readonly events: readonly SourceEvent[];
  /** Attributes that have the same value on each of its events that carries them. */
  readonly constants: Readonly<Record<string, string>>;
  readonly place: Place;
}

export interface SourceEvent {
  /** The provider's name, such as `pull_request`. */
  readonly eventType: string;
  /** The CloudEvents `type`. */
  readonly type: string;
  /** Whatever the source asks for, it comes, such as the first event of a new webhook. */
  readonly always: boolean;
  /** Attributes beside type, source, id and specversion, which every event has. */
  readonly attributes: readonly SourceAttribute[];
}

export interface SourceAttribute extends EventAttribute {
  /** Set only by a source whose spec says `correlation: true`; `plan` writes that where a workflow needs it. */
  readonly isCorrelation: boolean;
}

export interface WiredProducer extends ExternalProducer {
  readonly place: Place;
}

/** A workflow definition, and where it runs. */
export interface WiredWorkflow extends Workflow {
  /** undefined: no wire.yaml says. */
  readonly runtime: Runtime | undefined;
  /** Its entry in wire.yaml. */
  readonly config: WorkflowConfig | undefined;
  /** Of the entry in wire.yaml, or of the definition. */
  readonly runsAt: Place;
}

/** Where events of a workflow are posted to. `path` begins with `/`. */
export type Runtime =
  /** The SonataFlow operator makes Deployment and Service, both named `service`. */
  | { readonly kind: 'sonataflow'; readonly service: string; readonly path: string }
  | {
      readonly kind: 'knative-service';
      readonly service: string;
      readonly path: string;
      /** The Knative Service as its manifest has it; undefined: none was named. */
      readonly manifest: KubeManifest | undefined;
    }
  | { readonly kind: 'deployment'; readonly service: string; readonly deployment: string; readonly path: string }
  | { readonly kind: 'uri'; readonly uri: string };

/** An object of the Kubernetes API as a manifest has it. */
export interface KubeManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What a workflow definition says of events. */
export interface Workflow {
  /** 0.8: `id` (of a SonataFlow: `metadata.name`); 1.0: `document.name`. */
  readonly name: string;
  /** 1.0: `document.namespace`; of a SonataFlow that of the object. It is no namespace of the cluster's in 1.0. */
  readonly namespace: string | undefined;
  readonly version: string | undefined;
  readonly language: '0.8' | '1.0';
  /** Of the definition. */
  readonly place: Place;
  /** In the order of the definition. */
  readonly consumes: readonly ConsumedEvent[];
  readonly emits: readonly EmittedEvent[];
  /** The definition itself, as it is written; of a SonataFlow, `spec.flow`. Whatever JSON pointers are in, is in this. */
  readonly definition: Readonly<Record<string, unknown>>;
}

/**
 * One event that a workflow waits for at one place of its definition: one reference to an event definition (0.8), or one
 * event filter (1.0). Conditions of `attributes` and `payload` must all hold.
 */
export interface ConsumedEvent extends Step {
  /** start: it makes a new instance; resume: an instance that runs waits for it. */
  readonly role: 'start' | 'resume';
  /** Those that are waited for together. */
  readonly group: EventGroup;
  /** 0.8: the name of the event definition. */
  readonly reference: string | undefined;
  /** On context attributes, `type` among them; none: every event is taken (a catch-all). */
  readonly attributes: readonly AttributeFilter[];
  readonly payload: readonly PayloadFilter[];
  readonly correlations: readonly CorrelationRule[];
}

/**
 * one: of the events with the same `path`, the first that comes; any: each that comes, again and again; all: one of each.
 * until: the event ends the waiting of an `any`, whose `path` it has.
 */
export interface EventGroup {
  readonly mode: 'one' | 'any' | 'all' | 'until';
  /** JSON pointer (RFC 6901) of the strategy or state in the definition. */
  readonly path: string;
}

/** Where in a definition something is done with an event. */
export interface Step {
  /** 0.8: the name of the state; 1.0: names of the tasks from the outermost in, joined by `/`; `schedule.on` for a start. */
  readonly step: string;
  /** 0.8: the state's type; 1.0: what the definition calls it. */
  readonly via: 'event' | 'callback' | 'switch' | 'action' | 'end' | 'transition' | 'schedule' | 'listen' | 'emit';
  /** JSON pointer (RFC 6901) in the definition; within a SonataFlow, in `spec.flow`. */
  readonly path: string;
  readonly place: Place;
}

/** A condition on one context attribute. */
export type AttributeFilter = { readonly name: string; readonly place: Place } & AttributeTest;

export type AttributeTest =
  | { readonly test: 'exact' | 'prefix' | 'suffix'; readonly value: string }
  /** A regular expression or a runtime expression that only the runtime can judge. */
  | { readonly test: 'runtime'; readonly expression: string };

/** A condition on the event's data. */
export interface PayloadFilter {
  /** As written. */
  readonly expression: string;
  /** What it says of members of the data, if nothing else: all of these must hold. Empty: it says no such thing. */
  readonly constants: readonly PayloadConstant[];
  /** Whether `constants` say all of it; else the runtime judges the rest. */
  readonly isWhole: boolean;
  readonly place: Place;
}

/** The member of the data at `member` equals one of `values`. */
export interface PayloadConstant {
  /** Such as `['pull_request', 'draft']`. */
  readonly member: readonly string[];
  readonly values: readonly (string | number | boolean)[];
}

/** How the event for a running instance is told from those for others. */
export interface CorrelationRule {
  /** 1.0: the name of the correlation; 0.8: `contextAttributeName`. */
  readonly name: string;
  /** What is compared. */
  readonly from:
    | { readonly kind: 'attribute'; readonly name: string }
    | { readonly kind: 'member'; readonly member: readonly string[] }
    | { readonly kind: 'expression'; readonly expression: string };
  /** With what; first: the value the instance's first event had. */
  readonly expect:
    | { readonly kind: 'first' }
    | { readonly kind: 'constant'; readonly value: string }
    | { readonly kind: 'expression'; readonly expression: string };
  readonly place: Place;
}

/** One event that a workflow sends at one place of its definition. */
export interface EmittedEvent extends Step {
  /** 0.8: the name of the event definition. */
  readonly reference: string | undefined;
  /** undefined: an expression makes it, or nothing says. */
  readonly type: string | undefined;
  readonly source: string | undefined;
  /** The names of all attributes beside type and source; the value where it is constant. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}
