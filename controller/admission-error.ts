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

/** It was a write to a source that it refused, so that status cannot say it. */
export class SourceRefusedError extends Error {
  override name = 'SourceRefusedError';
  readonly webhook: string;
  constructor(refusal: AdmissionError) {
    super(refusal.message, { cause: refusal });
    this.webhook = refusal.webhook;
  }
}
