/** Times in milliseconds since 1970. */
export interface TokenLife {
  /** When it is to be renewed: at two thirds. */
  readonly renewal: number;
  readonly end: number;
}

/**
 * How long a token (JWT, RFC 7519) is good for an audience, by its own words: its signature is the sink's to check.
 * undefined: it is for another audience, or does not say.
 */
export function lifeOf(token: string, audience: string): TokenLife | undefined {
  const { aud, iat, exp } = claimsIn(token);
  if (![aud].flat().includes(audience) || typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  return { renewal: (iat + ((exp - iat) * 2) / 3) * 1000, end: exp * 1000 };
}

function claimsIn(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return { ...(claims as object) };
  } catch {
    return {};
  }
}
