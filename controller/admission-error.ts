import { ApiStatusError } from '../core/list-watch.ts';

/** An admission webhook refused a write, or was to be asked and is not there. */
export class AdmissionError extends ApiStatusError {
  override name = 'AdmissionError';
  readonly webhook: string;
  constructor(request: string, code: number, reason: string, webhook: string) {
    super(request, code, reason);
    this.webhook = webhook;
  }
}
