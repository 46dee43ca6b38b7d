/**
 * The last good access token of each living source, by the API it is for: with it a webhook can still be removed when
 * the Secret was deleted before its source. Memory only.
 */
export class AccessTokens {
  readonly #tokens = new Map<string, Map<string, string>>();

  remember(uid: string, api: string, token: string): void {
    const ofSource = this.#tokens.get(uid) ?? new Map<string, string>();
    this.#tokens.set(uid, ofSource.set(api, token));
  }

  /** A token is never given for an API it was not made for. */
  find(uid: string, api: string): string | undefined {
    return this.#tokens.get(uid)?.get(api);
  }

  forget(uid: string): void {
    this.#tokens.delete(uid);
  }
}
