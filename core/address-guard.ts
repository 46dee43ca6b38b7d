import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** A destination resolves to an address that must never be called. */
export class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';
  readonly code = 'ERR_FORBIDDEN_ADDRESS';
  readonly group: string;
  constructor(host: string, group: string) {
    super(`${host} is ${group === 'unspecified' ? 'an' : 'a'} ${group} address, which is not called`);
    this.group = group;
  }
}

function blockList(subnets: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[]) {
  const list = new BlockList();
  for (const [network, prefix, family] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

const LINK_LOCAL = blockList([
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
]);
const UNSPECIFIED = blockList([
  ['0.0.0.0', 8, 'ipv4'],
  ['::', 128, 'ipv6'],
]);
const LOOPBACK = blockList([
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
]);

/** Whether a URL leads to this very machine, by its host alone. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const version = isIP(host);
  return version === 0 ? host === 'localhost' : LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Decides which addresses may be called. It is asked when connecting, with the resolved addresses, so that a name
 * which changes its address after a check (DNS rebinding) gains nothing. Cloud metadata services live on link-local.
 */
export class AddressGuard {
  readonly #forbidden: readonly (readonly [group: string, list: BlockList])[];

  constructor(options: { allowLoopback: boolean }) {
    this.#forbidden = [
      ['link-local', LINK_LOCAL],
      ['unspecified', UNSPECIFIED],
      ...(options.allowLoopback ? [] : ([['loopback', LOOPBACK]] as const)),
    ];
  }

  /** @throws ForbiddenAddressError when `address`, an IP address, is in a forbidden range. Names pass. */
  check(address: string): void {
    const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
    const version = isIP(bare);
    if (version === 0) return;
    const group = this.#forbidden.find(([, list]) => list.check(bare, version === 4 ? 'ipv4' : 'ipv6'))?.[0];
    if (group !== undefined) throw new ForbiddenAddressError(bare, group);
  }

  /** For the `lookup` option of `net.connect` and `tls.connect`. */
  readonly lookup = (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, options, (error, address, family) => {
      try {
        if (error === null) {
          for (const entry of [address].flat()) this.check(typeof entry === 'string' ? entry : entry.address);
        }
        callback(error, address, family);
      } catch (forbidden) {
        callback(forbidden as ForbiddenAddressError, []);
      }
    });
  };
}
