import { X509Certificate } from 'node:crypto';
import { type AddressGuard, ForbiddenAddressError } from '../core/address-guard.ts';
import type { Destination } from '../core/route.ts';
import type { SinkDestination } from '../sources/fields.ts';
import type { Objects } from './cluster.ts';
import { type KubeObject, nameOf, type ObjectReference, type SourceObject } from './objects.ts';
import { type Blocked, blocked, FORBIDDEN_RETRY, isBlocked, type Step } from './step.ts';

export interface SinkDeps {
  readonly objects: Pick<Objects, 'get'>;
  readonly guard: AddressGuard;
  /** Where a core/v1 Service is reached, which has no status.address; undefined: nowhere. */
  readonly urlOfService: (service: KubeObject) => string | undefined;
  /** Whether a source may name objects of other namespaces only by URL. */
  readonly refuseCrossNamespace?: boolean;
  /** Said in place of a cluster's advice where there is none: what is wrong with this sink, and what to change. */
  readonly adviceOn?: (sink: ObjectReference, trouble: SinkTrouble) => string | undefined;
}

/** The kind is not known; there is no such object; it has no address. */
export type SinkTrouble = 'no-kind' | 'no-object' | 'no-address';

/** By its name in the cluster's DNS. */
export function clusterUrlOf({ metadata: { name, namespace } }: KubeObject): string {
  return `http://${name}.${namespace}.svc.cluster.local`;
}

export interface Sinks {
  readonly sink: Destination;
  readonly deadLetterSink: Destination | null;
}

/** `sinkGone`: the sink itself, not the dead-letter sink, is not to be had. */
export type ResolvedSinks = Step<Sinks> & { readonly sinkGone?: true };

/** Where the events of a source go. */
export async function resolveSinks(source: SourceObject, deps: SinkDeps): Promise<ResolvedSinks> {
  const { spec, metadata } = source;
  const sink = await resolveDestination(spec.sink, metadata.namespace, deps);
  if (isBlocked(sink)) return { ...sink, sinkGone: true };
  const last = spec.delivery?.deadLetterSink;
  if (!last) return { done: { sink: sink.done, deadLetterSink: null } };
  const deadLetterSink = await resolveDestination(last, metadata.namespace, deps);
  return isBlocked(deadLetterSink)
    ? ofDeadLetterSink(deadLetterSink)
    : { done: { sink: sink.done, deadLetterSink: deadLetterSink.done } };
}

/** The same fault, said to be the dead-letter sink's. */
export function ofDeadLetterSink({ blocked: fault }: { readonly blocked: Blocked }): { readonly blocked: Blocked } {
  return { blocked: { ...fault, message: `spec.delivery.deadLetterSink: ${fault.message}` } };
}

/**
 * Knative's Destination resolved: an absolute `uri`; `ref`, an object with `status.address.url` or a Kubernetes Service;
 * or `ref` with a `uri` relative to it (RFC 3986, 5.2).
 */
export async function resolveDestination(
  { ref, uri, CACerts, audience }: SinkDestination,
  namespace: string,
  deps: SinkDeps,
): Promise<Step<Destination>> {
  if (!ref)
    return uri === undefined
      ? blocked('NotFound', 'name a sink: ref or uri')
      : checked({ url: uri, CACerts, audience }, deps);
  const reference: ObjectReference = { ...ref, namespace: ref.namespace || namespace };
  if (deps.refuseCrossNamespace && reference.namespace !== namespace) {
    const message = `${nameOf(reference)} is of another namespace, which this install does not allow: name a sink in ${namespace}, or set ALLOW_CROSS_NAMESPACE_SINKS of the controller`;
    return blocked('CrossNamespaceSink', message);
  }
  const name = `${nameOf(reference)} (${ref.apiVersion})`;
  const lookup = await deps.objects.get(reference);
  if (lookup.found === 'no-kind') {
    const advice =
      deps.adviceOn?.(reference, 'no-kind') ??
      `the cluster has no kind ${ref.kind} in ${ref.apiVersion}; install it, or check ref`;
    return blocked('NotFound', `${name} not found: ${advice}`);
  }
  if (lookup.found === 'forbidden') {
    return blocked(
      'Forbidden',
      `the controller may not read ${nameOf(reference)}: give its ServiceAccount ${lookup.rule}`,
      FORBIDDEN_RETRY,
    );
  }
  if (lookup.found === 'no-object' || lookup.object.metadata.deletionTimestamp !== undefined) {
    const advice = deps.adviceOn?.(reference, 'no-object') ?? 'create it, or name another sink';
    return blocked('NotFound', `${name} not found: ${advice}`);
  }
  const address = addressOf(lookup.object, CACerts, deps);
  if (!address) {
    const advice =
      deps.adviceOn?.(reference, 'no-address') ??
      'it has no status.address.url yet; wait for it to be ready, or name a sink that receives events';
    return blocked('NotAddressable', `${nameOf(reference)}: ${advice}`);
  }
  const url = uri === undefined ? address.url : (URL.parse(uri, address.url)?.href ?? uri);
  return checked({ url, CACerts: CACerts ?? address.CACerts, audience: audience ?? address.audience }, deps);
}

interface Address {
  readonly url: string;
  readonly CACerts?: string;
  readonly audience?: string;
}

/**
 * Knative's Addressable, by its form; and core/v1 Service. Of several addresses, one with https for which there are
 * certificates, `trusted` or its own; else the first.
 */
function addressOf(object: KubeObject, trusted: string | undefined, { urlOfService }: SinkDeps): Address | undefined {
  const { address, addresses } = (object.status ?? {}) as {
    address?: Partial<Address>;
    addresses?: readonly Partial<Address>[];
  };
  const known = [address, ...(addresses ?? [])].flatMap((one) => (one?.url ? [{ ...one, url: one.url }] : []));
  const secure = known.find(({ url, CACerts }) => /^https:/i.test(url) && (CACerts ?? trusted) !== undefined);
  const [first] = known;
  if (first) return secure ?? first;
  const isService = object.apiVersion === 'v1' && object.kind === 'Service';
  const url = isService ? urlOfService(object) : undefined;
  return url === undefined ? undefined : { url };
}

/** What adapters will call: http or https, and not an address that is never called. */
function checked(destination: Destination, { guard }: SinkDeps): Step<Destination> {
  const url = URL.parse(destination.url);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    return blocked(
      'SinkInvalid',
      `the sink must be an http or https URL without user name and password: change "${withoutUser(destination.url)}"`,
    );
  }
  try {
    guard.check(url.hostname);
  } catch (error) {
    if (!(error instanceof ForbiddenAddressError)) throw error;
    return blocked('SinkInvalid', `${error.message}: name another sink`);
  }
  const { CACerts, audience } = destination;
  if (CACerts !== undefined && !areCertificates(CACerts)) {
    return blocked(
      'SinkInvalid',
      'the CACerts of the sink are no certificates in PEM form: write them as -----BEGIN CERTIFICATE----- …',
    );
  }
  return {
    done: {
      url: destination.url,
      ...(CACerts !== undefined && { CACerts }),
      // An empty one is none, as for Knative.
      ...(audience && { audience }),
    },
  };
}

function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

function withoutUser(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}
