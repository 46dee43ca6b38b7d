import { BlockList, isIP } from 'node:net';
import { isLoopback } from './address-guard.ts';
import type { EnvReader } from './env.ts';

interface Target {
  /** In lower case; of an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

type Exception = (target: Target) => boolean;

interface ProxyTable {
  /** The proxy by the scheme of what is called. */
  readonly 'http:': URL | undefined;
  readonly 'https:': URL | undefined;
  readonly exceptions: readonly Exception[];
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
/** Names that no proxy outside the cluster can resolve. */
const IN_CLUSTER = ['.svc', '.cluster.local'];

/** Which calls go through a proxy. */
export class Proxies {
  readonly #table: ProxyTable;

  constructor(table: ProxyTable) {
    this.#table = table;
  }

  /** The proxy for a URL, the same object each time; undefined: it is called directly, as what is on this machine or in the cluster always is. */
  proxyFor(url: string): URL | undefined {
    const { protocol, hostname, port } = new URL(url);
    const proxy = protocol === 'http:' || protocol === 'https:' ? this.#table[protocol] : undefined;
    if (proxy === undefined || isLoopback(url)) return undefined;
    const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    if (IN_CLUSTER.some((suffix) => host.endsWith(suffix)) || host.endsWith('.localhost')) return undefined;
    const target: Target = { host, port: Number(port) || (DEFAULT_PORTS[protocol] ?? 0) };
    return this.#table.exceptions.some((excepts) => excepts(target)) ? undefined : proxy;
  }

  /** For logs: where the proxies are, without user names and passwords. */
  get origins(): Readonly<Record<string, string>> {
    const { 'http:': http, 'https:': https } = this.#table;
    return { ...(http && { http: http.origin }), ...(https && { https: https.origin }) };
  }
}

export const NO_PROXIES = new Proxies({ 'http:': undefined, 'https:': undefined, exceptions: [] });

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;

function variable(read: EnvReader, name: (typeof VARIABLES)[number]): string | undefined {
  return read.optional(name) ?? read.optional(name.toLowerCase());
}

/** Those that are set, by their names in upper case, for another process. */
export function proxyVariables(read: EnvReader): Readonly<Record<string, string>> {
  const pairs = VARIABLES.map((name) => [name, variable(read, name)] as const);
  return Object.fromEntries(pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or in lower case. They mean what they do to Go programs such as kubectl. */
export function readProxies(read: EnvReader): Proxies {
  return new Proxies({
    'http:': readProxy(read, 'HTTP_PROXY'),
    'https:': readProxy(read, 'HTTPS_PROXY'),
    exceptions: readExceptions(read),
  });
}

/** What is wrong is told without the value, which may hold a password. */
function readProxy(read: EnvReader, name: 'HTTP_PROXY' | 'HTTPS_PROXY'): URL | undefined {
  const text = variable(read, name);
  if (text === undefined) return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const isProxy =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    !url.search &&
    !url.hash &&
    isEncoded(url);
  read.require(isProxy, `${name} must be the URL of an http or https proxy, such as http://proxy.example.com:3128`);
  return url ?? undefined;
}

function isEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

function readExceptions(read: EnvReader): Exception[] {
  const texts = (variable(read, 'NO_PROXY') ?? '').split(/[,\s]+/).filter(Boolean);
  return texts.flatMap((text) => {
    const exception = exceptionOf(text.toLowerCase());
    const isKnown = exception !== undefined;
    read.require(
      isKnown,
      `NO_PROXY must be hosts, .suffixes, addresses and networks separated by commas, and "${text}" is none`,
    );
    return isKnown ? [exception] : [];
  });
}

function exceptionOf(text: string): Exception | undefined {
  if (text.includes('/')) return networkOf(text);
  // An IPv6 address with a port has brackets.
  const [, host = text, digits] = isIP(text) === 0 ? (/^(.*):(\d+)$/.exec(text) ?? []) : [];
  const matches = hostOf(host.replace(/^\[([\da-f:.]+)\]$/, '$1'));
  const port = digits === undefined ? undefined : Number(digits);
  return matches && ((target) => matches(target) && (port === undefined || port === target.port));
}

function hostOf(text: string): Exception | undefined {
  if (text === '*') return () => true;
  if (isIP(text) !== 0) return networkOf(`${text}/${isIP(text) === 4 ? 32 : 128}`);
  const [, wildcard = '', name = ''] = /^(\*?\.)?([^.*:@?#\\][^*:@?#\\]*?)\.?$/.exec(text) ?? [];
  const hostname = URL.parse(`http://${name}`)?.hostname;
  if (!hostname) return undefined;
  return ({ host }) => (host === hostname && wildcard === '') || host.endsWith(`.${hostname}`);
}

/** A name is not resolved for this: it is in no network. */
function networkOf(text: string): Exception | undefined {
  const [, address = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128)) return undefined;
  const family = (ip: number) => (ip === 4 ? 'ipv4' : 'ipv6');
  const network = new BlockList();
  network.addSubnet(address, Number(prefix), family(version));
  return ({ host }) => isIP(host) !== 0 && network.check(host, family(isIP(host)));
}
