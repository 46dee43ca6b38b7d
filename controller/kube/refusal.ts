import { ApiStatusError } from '../../core/list-watch.ts';
import { AdmissionError } from '../admission-error.ts';

/** The API server's own sentences; no field of its answer says that it was a webhook, nor which. */
const OF_A_WEBHOOK =
  /^(?:Internal error occurred: )?(?:failed calling|admission) webhook "([^"]+)"(?:: | denied the request)/;

/** What the API server's refusal of a request is. `reason`: the message of its answer. */
export function refusalOf(request: string, code: number, reason: string): ApiStatusError {
  const webhook = OF_A_WEBHOOK.exec(reason)?.[1];
  return webhook === undefined
    ? new ApiStatusError(request, code, reason)
    : new AdmissionError(request, code, reason, webhook);
}
