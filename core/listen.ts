import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ConfigurationError, codeOf } from './errors.ts';

/** A port that must be had (0: any), or one that is only liked: any other will do when it is taken. */
export type PortWish = number | { readonly preferred: number };

/**
 * Binds to `host`, or to every address: IPv6 with IPv4, IPv4 alone on machines that know no IPv6. Returns the port.
 * @throws ConfigurationError naming `setting` when the port is taken.
 */
export async function listen(
  app: FastifyInstance,
  { host, port, setting }: { host: string | undefined; port: PortWish; setting: string },
): Promise<number> {
  const preferred = typeof port === 'number' ? port : port.preferred;
  try {
    await app.listen({ host: host ?? '::', port: preferred });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE' && typeof port === 'number') {
      throw new ConfigurationError('network', [`port ${port} is in use: set ${setting} to another`], { cause: error });
    }
    if (code === 'EADDRINUSE') return listen(app, { host, port: 0, setting });
    if (host !== undefined || code !== 'EAFNOSUPPORT') throw error;
    return listen(app, { host: '0.0.0.0', port, setting });
  }
  return (app.server.address() as AddressInfo).port;
}
