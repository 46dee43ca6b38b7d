import { messageOf } from '../../core/errors.ts';
import { type ApiObject, ListWatch, type ListWatchTimings } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { ApiClient } from './api-client.ts';
import { METADATA_ONLY, transportOf } from './transport.ts';

export interface DefinitionsOptions {
  readonly api: Pick<ApiClient, 'call' | 'lines' | 'chunks'>;
  /** Called with the API group of a definition that appeared, changed or went. */
  readonly onChange: (group: string) => void;
  readonly log: Log;
  readonly timings?: Partial<ListWatchTimings>;
}

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Tells when kinds may have been installed, so that nobody needs to ask for one that is not there. */
export class Definitions {
  readonly #listWatch: ListWatch<ApiObject>;
  #said: string | undefined;

  constructor({ api, onChange, log, timings }: DefinitionsOptions) {
    // A definition is called `<plural>.<group>`.
    const tell = ({ metadata: { name } }: ApiObject) => onChange(name.slice(name.indexOf('.') + 1));
    this.#listWatch = new ListWatch<ApiObject>({
      transport: transportOf<ApiObject>(api, PATH, { accept: METADATA_ONLY, keep: kept }),
      onChange: tell,
      onGone: tell,
      onFailure: (error) => {
        const message = messageOf(error);
        if (message !== this.#said)
          log.warn(
            { error: message },
            'definitions not watched: kinds that are installed are noticed late; tried again',
          );
        this.#said = message;
      },
      ...(timings && { timings }),
    });
  }

  start(): void {
    this.#listWatch.start();
  }

  stop(): Promise<void> {
    return this.#listWatch.stop();
  }
}

function kept({ metadata: { name, resourceVersion } }: ApiObject): ApiObject {
  return { metadata: { name, resourceVersion } };
}
