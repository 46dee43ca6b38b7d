import { isObject, type JsonObject, textOf } from '../definition-text.ts';
import type { KubeManifest, WiredWorkflow, WireSet } from '../model.ts';
import { DEPLOYMENT } from '../planned-object.ts';
import { type Diagram, DiagramBuilder, type DiagramLine, type NodeKind, shortened } from './diagram.ts';
import { filterLines } from './filter-lines.ts';
import {
  EVENTING,
  groupOf,
  isSource,
  kindOfTarget,
  MESSAGING,
  namespaceOf,
  sinkInEnvironment,
  specOf,
  type Target,
  targetOf,
  targetOfDestination,
  targetOfReference,
  targetOfRuntime,
  templateOf,
} from './targets.ts';

/**
 * Which way events take between the objects of a cluster: sources → brokers and channels → triggers and subscriptions →
 * sinks, and what those send on. `sets` tell which sinks are workflows, and who else produces.
 */
export function topologyDiagram(title: string, objects: readonly KubeManifest[], sets: readonly WireSet[]): Diagram {
  return new Topology(objects, sets).draw(title);
}

class Topology {
  readonly #builder = new DiagramBuilder();
  readonly #objects: readonly KubeManifest[];
  readonly #sets: readonly WireSet[];
  readonly #ids = new Map<string, string>();
  readonly #groups = new Map<string, string>();
  /** Other names of a node: the Deployment behind a Service. */
  readonly #aliases = new Map<string, string>();
  /** The workflows that run at a sink. */
  readonly #workflows = new Map<string, readonly WiredWorkflow[]>();
  readonly #namespaces: ReadonlySet<string>;

  constructor(objects: readonly KubeManifest[], sets: readonly WireSet[]) {
    this.#objects = objects;
    this.#sets = sets;
    this.#namespaces = new Set([...objects.map(namespaceOf), ...sets.map(({ namespace }) => namespace)]);
    for (const set of sets) this.#noteWorkflows(set);
    this.#noteDeployments();
  }

  draw(title: string): Diagram {
    for (const object of this.#objects) if (isSource(object)) this.#drawSource(object);
    for (const set of this.#sets) this.#drawProducers(set);
    for (const object of this.#objects) this.#drawObject(object);
    for (const set of this.#sets) this.#drawEmitters(set);
    return this.#builder.build(title, 'right');
  }

  #drawSource(source: KubeManifest): void {
    const spec = specOf(source);
    const events = Array.isArray(spec['eventTypes']) ? spec['eventTypes'].map(String) : [];
    const lines = events.map((event): DiagramLine => ({ text: `⇢ ${shortened(event)}`, style: 'emitted' }));
    const from = this.#node(targetOf(source), 'source', lines);
    this.#lead(from, spec['sink'], namespaceOf(source));
    this.#leadDeadLetters(from, spec, namespaceOf(source));
  }

  #drawObject(object: KubeManifest): void {
    const group = groupOf(object.apiVersion);
    const spec = specOf(object);
    if (group === EVENTING && object.kind === 'Broker')
      this.#leadDeadLetters(this.#node(targetOf(object), 'broker'), spec, namespaceOf(object));
    if (group === EVENTING && object.kind === 'Trigger') this.#drawTrigger(object, spec);
    if (group === MESSAGING && object.kind === 'Subscription') this.#drawSubscription(object, spec);
    else if (group === MESSAGING)
      this.#leadDeadLetters(this.#node(targetOf(object), 'broker'), spec, namespaceOf(object));
    if (object.kind === 'SinkBinding') this.#drawSinkBinding(object, spec);
    const environment = sinkInEnvironment(object);
    if (environment !== undefined)
      this.#lead(this.#node(targetOf(object), 'sink'), { uri: environment }, namespaceOf(object));
  }

  #drawTrigger(trigger: KubeManifest, spec: JsonObject): void {
    const namespace = namespaceOf(trigger);
    const broker = {
      apiVersion: `${EVENTING}/v1`,
      kind: 'Broker',
      namespace,
      name: textOf(spec['broker']) ?? 'default',
    };
    const id = this.#node(targetOf(trigger), 'trigger', filterLines(spec));
    this.#flow(this.#node(targetOfReference(broker, namespace), 'broker'), id);
    this.#lead(id, spec['subscriber'], namespace);
    this.#leadDeadLetters(id, spec, namespace);
  }

  #drawSubscription(subscription: KubeManifest, spec: JsonObject): void {
    const namespace = namespaceOf(subscription);
    const id = this.#node(targetOf(subscription), 'trigger');
    if (isObject(spec['channel'])) this.#flow(this.#node(targetOfReference(spec['channel'], namespace), 'broker'), id);
    this.#lead(id, spec['subscriber'], namespace);
    this.#lead(id, spec['reply'], namespace, 'answer');
    this.#leadDeadLetters(id, spec, namespace);
  }

  #drawSinkBinding(binding: KubeManifest, spec: JsonObject): void {
    const { subject } = spec;
    const namespace = namespaceOf(binding);
    if (!isObject(subject) || textOf(subject['name']) === undefined) return;
    this.#lead(this.#node(targetOfReference(subject, namespace), 'sink'), spec['sink'], namespace);
  }

  #drawProducers({ external, broker, workflows }: WireSet): void {
    for (const { type, by, direct } of external) {
      const target = { key: `external ${by} ${type}`, kind: '', name: by ?? 'elsewhere', namespace: '' };
      const from = this.#node(target, 'source', [{ text: `⇢ ${shortened(type)}`, style: 'emitted' }]);
      if (direct !== true) this.#flow(from, this.#brokerNode(broker));
      else
        for (const { consumes, runtime } of workflows)
          if (runtime && consumes.some((event) => event.attributes.some((one) => 'value' in one && one.value === type)))
            this.#flow(from, this.#node(targetOfRuntime(runtime, broker.namespace), 'sink'));
    }
  }

  #drawEmitters({ workflows, broker, namespace }: WireSet): void {
    for (const { emits, runtime } of workflows)
      if (runtime && emits.length > 0)
        this.#flow(this.#node(targetOfRuntime(runtime, namespace), 'sink'), this.#brokerNode(broker));
  }

  #brokerNode({ name, namespace }: WireSet['broker']): string {
    const reference = { apiVersion: `${EVENTING}/v1`, kind: 'Broker', name, namespace };
    return this.#node(targetOfReference(reference, namespace), 'broker');
  }

  /** `destination`: a Destination of Knative: `ref`, `uri`, or both. */
  #lead(from: string, destination: unknown, namespace: string, kind: 'flow' | 'failure' | 'answer' = 'flow'): void {
    const to = isObject(destination) && targetOfDestination(destination, namespace);
    if (!to) return;
    const label = { flow: undefined, failure: 'dead letters', answer: 'replies' }[kind];
    this.#builder.edge({ from, to: this.#node(to, kindOfTarget(to)), label, kind });
  }

  #leadDeadLetters(from: string, spec: JsonObject, namespace: string): void {
    if (isObject(spec['delivery'])) this.#lead(from, spec['delivery']['deadLetterSink'], namespace, 'failure');
  }

  #flow(from: string, to: string): void {
    this.#builder.edge({ from, to, label: undefined, kind: 'flow' });
  }

  /** The node of a target; made when it is first asked for. */
  #node(target: Target, kind: NodeKind, lines: readonly DiagramLine[] = []): string {
    const key = this.#aliases.get(target.key) ?? target.key;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const workflows = this.#workflows.get(key) ?? [];
    const group = target.namespace === '' ? undefined : this.#groupOf(target.namespace);
    const id =
      workflows.length > 0
        ? this.#builder.node('workflow', [...workflowLines(workflows), ...lines], group)
        : this.#builder.node(kind, [...targetLines(target), ...lines], group);
    this.#ids.set(key, id);
    return id;
  }

  /** Namespaces are drawn where there are several. */
  #groupOf(namespace: string): string | undefined {
    if (this.#namespaces.size < 2) return undefined;
    const group = this.#groups.get(namespace) ?? this.#builder.group(namespace);
    this.#groups.set(namespace, group);
    return group;
  }

  #noteWorkflows({ workflows, namespace }: WireSet): void {
    for (const workflow of workflows) {
      const { runtime } = workflow;
      if (!runtime) continue;
      const target = targetOfRuntime(runtime, namespace);
      this.#workflows.set(target.key, [...(this.#workflows.get(target.key) ?? []), workflow]);
      if (runtime.kind === 'deployment' || runtime.kind === 'sonataflow') {
        const deployment = runtime.kind === 'deployment' ? runtime.deployment : runtime.service;
        this.#aliases.set(targetOfReference({ ...DEPLOYMENT, name: deployment }, namespace).key, target.key);
      }
    }
  }

  /** A Deployment is one node with the Service that selects its pods. */
  #noteDeployments(): void {
    for (const service of this.#objects.filter((one) => one.apiVersion === 'v1' && one.kind === 'Service')) {
      const { selector } = specOf(service);
      if (!isObject(selector) || Object.keys(selector).length === 0) continue;
      for (const deployment of this.#objects.filter((one) => one.kind === 'Deployment')) {
        const { labels } = templateOf(deployment);
        const isBehind = Object.entries(selector).every(([name, value]) => labels[name] === value);
        if (isBehind && namespaceOf(deployment) === namespaceOf(service))
          this.#aliases.set(targetOf(deployment).key, targetOf(service).key);
      }
    }
  }
}

function targetLines({ name, kind }: Target): DiagramLine[] {
  const detail: DiagramLine[] = kind === '' ? [] : [{ text: kind, style: 'detail' }];
  return [{ text: shortened(name), style: 'name' }, ...detail];
}

/** Of all that run at one place. */
function workflowLines(workflows: readonly WiredWorkflow[]): DiagramLine[] {
  const what = workflows.length === 1 ? 'workflow' : 'workflows';
  const runtime = workflows[0]?.runtime;
  const place = runtime && 'service' in runtime ? ` in ${runtime.service}` : '';
  const emitted = workflows.flatMap(({ emits }) => emits.map(({ type, reference }) => type ?? reference ?? 'an event'));
  return [
    ...workflows.map(({ name }): DiagramLine => ({ text: shortened(name), style: 'name' })),
    { text: what + place, style: 'detail' },
    ...[...new Set(emitted)].map((type): DiagramLine => ({ text: `⇢ ${shortened(type)}`, style: 'emitted' })),
  ];
}
