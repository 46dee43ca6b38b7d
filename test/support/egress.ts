import { AddressGuard } from '../../core/address-guard.ts';
import type { Egress } from '../../core/guarded-fetch.ts';
import { NO_PROXIES } from '../../core/proxies.ts';

/** Calls go out directly, and to this machine unless told otherwise. */
export function egress({ allowLoopback = true, proxies = NO_PROXIES } = {}): Egress {
  return { guard: new AddressGuard({ allowLoopback }), proxies };
}
