import type { TokenLookup } from '../../controller/cluster.ts';

/** A token as an API server makes them, but for its signature. */
export function aToken(claims: object): string {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
}

/** Gives tokens as the API server of a cluster does, or refuses to. */
export class TokenIssuer {
  /** `nobody`: as in local mode; `failing`: it cannot be asked. */
  mode: 'nobody' | 'giving' | 'forbidden' | 'failing' = 'nobody';
  lifeS = 3600;
  /** The audiences tokens were requested for. */
  readonly requests: string[] = [];

  async request(audience: string, now: Date): Promise<TokenLookup> {
    this.requests.push(audience);
    if (this.mode === 'failing') throw new Error('the API server is busy');
    if (this.mode === 'nobody') return { found: 'unavailable' };
    if (this.mode === 'forbidden') return { found: 'forbidden', rule: 'create on serviceaccounts/token' };
    const iat = now.getTime() / 1000;
    return {
      found: 'token',
      value: aToken({ aud: [audience], iat, exp: iat + this.lifeS, jti: String(this.requests.length) }),
    };
  }
}
