import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ConfigurationError, codeOf } from './errors.ts';

/**
 * Binds to `host`, or to every address: IPv6 with IPv4, IPv4 alone on machines that know no IPv6.
 * @throws ConfigurationError when the port is taken.
 */
export async function listen(app: FastifyInstance, host: string | undefined, port: number): Promise<void> {
  try {
    await app.listen({ host: host ?? '::', port });
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE')
      throw new ConfigurationError('network', [`port ${port} is in use`], { cause: error });
    if (host !== undefined || codeOf(error) !== 'EAFNOSUPPORT') throw error;
    await app.listen({ host: '0.0.0.0', port });
  }
}

/** `preferred`, or 0 (any) when another program listens there. */
export async function preferredPort(host: string, preferred: number): Promise<number> {
  const probe = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false)).listen(preferred, host, () => resolve(true));
  });
  if (isFree) await new Promise((resolve) => probe.close(resolve));
  return isFree ? preferred : 0;
}
