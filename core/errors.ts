/** What the user must change before the program can work; `problems` holds one sentence each. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly problems: readonly string[];
  constructor(subject: string, problems: readonly string[], options?: ErrorOptions) {
    super(`${subject}: ${problems.join('; ')}`, options);
    this.problems = problems;
  }
}

/** The text of anything thrown, for a log field or a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`, `ECONNREFUSED` …), where there is one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
