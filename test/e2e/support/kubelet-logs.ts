import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Where the API server asks a kubelet for what `kubectl logs` shows. `logOf`: by `namespace/pod`. */
export async function serveLogs(logOf: (pod: string) => string | undefined) {
  const file = (name: string) => readFile(join(import.meta.dirname, '../../support/tls', name));
  const [key, cert] = await Promise.all([file('server.key'), file('server.pem')]);
  const server = createServer({ key, cert }, (request, reply) => {
    const [, , namespace, pod] = new URL(request.url ?? '', 'https://x').pathname.split('/');
    const log = logOf(`${namespace}/${pod}`);
    reply.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(log);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { address, port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address, port, stop };
}
