import { ConfigurationError } from './errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Reads typed values and collects every problem, so that a user sees all of them in one message. */
export class EnvReader {
  readonly #env: Env;
  readonly #problems: string[] = [];

  constructor(env: Env) {
    this.#env = env;
  }

  /** An empty variable counts as absent: manifests often leave one in place. */
  optional(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  required(name: string, meaning: string): string {
    const value = this.optional(name);
    if (value === undefined) this.#problems.push(`${name} is not set (${meaning})`);
    return value ?? '';
  }

  integer(name: string, fallback: number, range: { min: number; max: number }): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= range.min && value <= range.max) return value;
    this.#problems.push(`${name} must be a whole number from ${range.min} to ${range.max}, not "${text}"`);
    return fallback;
  }

  /** 0 lets the system choose a free port. */
  port(name: string, fallback: number): number {
    return this.integer(name, fallback, { min: 0, max: 65_535 });
  }

  milliseconds(name: string, fallback: number, min = 0): number {
    return this.integer(name, fallback, { min, max: 86_400_000 });
  }

  boolean(name: string, fallback: boolean): boolean {
    return this.oneOf(name, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = values.find((candidate) => candidate === text.toLowerCase());
    if (value === undefined) this.#problems.push(`${name} must be one of ${values.join(', ')}, not "${text}"`);
    return value ?? fallback;
  }

  /** An http or https URL without user name and query, and without a slash at its end. */
  url(name: string): string | undefined {
    return this.urls(name)[0];
  }

  /** Several, separated by commas. */
  urls(name: string): readonly string[] {
    const texts = (this.optional(name) ?? '').split(',').map((text) => text.trim());
    return texts.filter(Boolean).map((text) => {
      const url = URL.parse(text);
      if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) {
        return url.href.replace(/\/+$/, '');
      }
      this.#problems.push(`${name} must be an http or https URL without user name and query, not "${text}"`);
      return text;
    });
  }

  /** Names of Kubernetes objects (RFC 1123 labels), separated by commas; each once. */
  names(name: string): readonly string[] {
    const names = (this.optional(name) ?? '').split(',').map((text) => text.trim());
    for (const text of names.filter(Boolean)) {
      if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text))
        this.#problems.push(`${name} must be names separated by commas, and "${text}" is none`);
    }
    return [...new Set(names.filter(Boolean))];
  }

  /** `NAME=value`, separated by commas. */
  pairs(name: string): Readonly<Record<string, string>> {
    const texts = (this.optional(name) ?? '').split(',').map((text) => text.trim());
    const pairs = texts.filter(Boolean).map((text) => {
      const [, key, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(text) ?? [];
      if (key === undefined) this.#problems.push(`${name} must be NAME=value, separated by commas, not "${text}"`);
      return [key ?? '', value ?? ''] as const;
    });
    return Object.fromEntries(pairs);
  }

  /** For what two variables must be to each other: a sentence, where it does not hold. */
  require(holds: boolean, sentence: string): void {
    if (!holds) this.#problems.push(sentence);
  }

  /** @throws ConfigurationError naming every problem met so far. */
  throwIfInvalid(): void {
    if (this.#problems.length > 0) throw new ConfigurationError('environment', this.#problems);
  }
}
