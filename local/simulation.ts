import type { PortWish } from '../core/listen.ts';
import type { SimulatedApi, SourceDefinition } from '../sources/contract.ts';
import type { Report } from './dev-line.ts';
import { Playback, type PlayedDelivery } from './playback.ts';

export interface SimulateOptions {
  readonly port: PortWish;
  /** Calls of this method get this status. */
  readonly fault: { readonly method: string; readonly status: number } | undefined;
  /** Deliveries are signed with this, not with the webhook's own secret. */
  readonly secret: string | undefined;
}

/** Providers that are not there: their APIs answered here, and their deliveries played. */
export interface Simulation {
  /** The definitions, every call of which goes to the simulated API, whatever the spec says. */
  readonly definitions: readonly SourceDefinition[];
  readonly urls: readonly string[];
  /** What was sent, or will be. */
  deliveries(): readonly PlayedDelivery[];
  stop(): Promise<void>;
}

export async function startSimulation(
  sources: readonly SourceDefinition[],
  options: SimulateOptions,
  report: Report,
): Promise<Simulation> {
  const simulated: { api: SimulatedApi; playback: Playback; definition: SourceDefinition }[] = [];
  for (const definition of sources) {
    const simulator = await definition.loadSimulator();
    const playback = new Playback({ simulator, secret: options.secret, report });
    const api = await simulator.startApi({ port: options.port, fault: options.fault, onPing: playback.onPing });
    simulated.push({ api, playback, definition: callingThere(definition, api) });
  }
  return {
    definitions: simulated.map(({ definition }) => definition),
    urls: simulated.map(({ api }) => api.url),
    deliveries: () => simulated.flatMap(({ playback }) => playback.deliveries),
    stop: async () => {
      for (const { api, playback } of simulated) {
        await playback.stop();
        await api.stop();
      }
    },
  };
}

function callingThere(definition: SourceDefinition, { url }: SimulatedApi): SourceDefinition {
  const loadSpec = async () => {
    const spec = await definition.loadSpec();
    const planOf = (given: object) => {
      const plan = spec.planOf(given);
      return { ...plan, hook: { ...plan.hook, api: url } };
    };
    return { ...spec, planOf };
  };
  return { ...definition, loadSpec };
}
