import type { SourceDefinition, WebhookApi } from '../sources/contract.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { AdapterMoves } from './adapter-moves.ts';
import type { Census } from './census.ts';
import type { ChildStore } from './children.ts';
import type { Cluster, Objects } from './cluster.ts';
import type { FirstLooks } from './first-looks.ts';
import type { HookMoves } from './hook-moves.ts';
import type { FirstDeliveryPoll } from './manual-hook.ts';
import type { OldServices } from './old-services.ts';
import type { PublicAddresses } from './public-addresses.ts';
import type { PublishDeps } from './publish-route.ts';
import type { ReceiveAdapterConfig } from './receive-adapter.ts';
import type { RefusedWrites } from './refused-writes.ts';
import type { SinkDeps } from './sink.ts';
import type { Upstream } from './upstream.ts';

export interface ReconcileDeps extends SinkDeps, PublishDeps {
  readonly cluster: Cluster;
  /** Reads of what a source names: Secrets and sinks. */
  readonly objects: Objects;
  readonly definitionOf: (kind: string) => SourceDefinition | undefined;
  /** The same one each time: what it read, it may keep. */
  readonly webhooksOf: (definition: SourceDefinition) => Promise<WebhookApi>;
  /** Who served the sources before. */
  readonly upstream: Upstream;
  readonly oldServices: OldServices;
  readonly refusedWrites: RefusedWrites;
  readonly tokens: AccessTokens;
  readonly firstLooks: FirstLooks;
  readonly census: Pick<Census, 'note' | 'forget'>;
  readonly adapter: ReceiveAdapterConfig;
  readonly addresses: PublicAddresses;
  /** What is made for one source in its namespace. */
  readonly children: ChildStore;
  readonly moves: AdapterMoves;
  readonly hookMoves: HookMoves;
  /**
   * How often the webhook is compared with the provider's, in milliseconds; varied by a tenth. A list that was read for
   * another source will do for half of it.
   */
  readonly hookCheckMs: number;
  readonly firstDeliveryPoll: FirstDeliveryPoll;
  /** How long a webhook that cannot be removed holds up the deletion of its source, in milliseconds. */
  readonly abandonHookMs: number;
}
